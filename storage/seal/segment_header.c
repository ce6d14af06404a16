/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/json_write.h"
#include "storage/seal/segment.h"

/* Facts' names are lower case; "env.term" was TERM. */
static void variable_name(const char *key, char ret[65])
{
    size_t n = 0;

    for (; key[n] != '\0' && n < 64; n++) {
        ret[n] = key[n] >= 'a' && key[n] <= 'z' ? (char)(key[n] - 'a' + 'A') : key[n];
    }
    ret[n] = '\0';
}

/* The facts whose names begin (or, with ${inverted}, do not begin) with "env.", as members. */
static int put_members(struct buf *out, const struct facts *facts, bool inverted, struct error *err)
{
    const uint8_t *value;
    size_t len, at = 0, n = 0;
    char key[65], name[65];

    while (facts != NULL && facts_next(facts, &at, key, &value, &len)) {
        bool env = strncmp(key, "env.", 4) == 0;

        if (env == inverted) {
            continue;
        }
        variable_name(env ? key + 4 : "", name);
        if ((n++ > 0 && buf_putc(out, ',', err) != 0) ||
            json_string(out, env ? name : key, err) != 0 || buf_putc(out, ':', err) != 0 ||
            json_string_n(out, value, len, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int segment_header_line(struct buf *out, const struct segment_header *h, struct error *err)
{
    if (buf_printf(out, err,
                   "{\"version\":2,\"width\":%u,\"height\":%u,\"timestamp\":%lld,\"env\":{",
                   h->cols == 0 ? 80 : h->cols, h->rows == 0 ? 24 : h->rows,
                   (long long)(h->started_us / 1000000)) != 0 ||
        put_members(out, h->facts, false, err) != 0 || buf_puts(out, "}", err) != 0) {
        return -1;
    }
    if (h->title != NULL && h->title[0] != '\0' &&
        (buf_puts(out, ",\"title\":", err) != 0 || json_string(out, h->title, err) != 0)) {
        return -1;
    }
    if (buf_printf(out, err, ",\"ttytrail\":{\"format\":1,\"session\":\"%s\",\"host\":",
                   h->session_hex) != 0 ||
        json_string(out, h->host, err) != 0 ||
        buf_printf(out, err, ",\"epoch\":\"%s\",\"user\":", h->epoch_hex) != 0 ||
        json_string(out, h->user, err) != 0 ||
        buf_printf(out, err,
                   ",\"uid\":%lld,\"started_us\":%lld,\"time_digits\":%u,\"codec\":\"gzip\","
                   "\"key_id\":null,\"recipients\":[],\"access\":{",
                   (long long)h->uid, (long long)h->started_us, h->time_digits) != 0 ||
        put_members(out, h->facts, true, err) != 0) {
        return -1;
    }
    return buf_puts(out, "}}}\n", err);
}
