/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/io.h"
#include "storage/seal/chain.h"
#include "storage/seal/segment.h"

#define NAME_MAX_BYTES 33
#define ATTEMPTS       5

struct table {
    struct depot *to;
    char name[NAME_MAX_BYTES], day[11], time[17];
    struct buf text, packed;
    int64_t rows, objects;
};

int table_open(struct table **ret, struct depot *to, const char *name, int64_t run_us,
               struct error *err)
{
    time_t s = (time_t)(run_us / 1000000);
    struct table *t;
    struct tm tm;

    if (strlen(name) >= NAME_MAX_BYTES || gmtime_r(&s, &tm) == NULL) {
        return err_set(err, ERR_USAGE, "no table '%.40s'", name);
    }
    t = calloc(1, sizeof *t);
    if (t == NULL) {
        return err_sys(err, "allocate");
    }
    t->to = to;
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    if (strftime(t->day, sizeof t->day, "%Y-%m-%d", &tm) == 0 ||
        strftime(t->time, sizeof t->time, "%Y%m%dT%H%M%SZ", &tm) == 0) {
        free(t);
        return err_set(err, ERR_USAGE, "no time: %" PRId64 " us", run_us);
    }
    buf_init(&t->text, TABLE_TEXT);
    buf_init(&t->packed, TABLE_TEXT + 65536);
    *ret = t;
    return 0;
}

/* The content is part of the name: what is there already, is the same. */
static int put(struct table *t, const char *name, const uint8_t sha256[CHAIN_HASH],
               struct error *err)
{
    const struct depot_put p = {.name = name,
                                .bytes = buf_data(&t->packed),
                                .len = t->packed.len,
                                .sha256 = sha256,
                                .content_type = "application/gzip"};
    enum depot_put_result result;
    int rc = -1;

    for (int i = 0; i < ATTEMPTS && rc != 0; i++) {
        err_clear(err);
        rc = depot_put(t->to, &p, &result, err);
        if (rc != 0 && err->kind != ERR_RETRY) {
            break;
        }
    }
    return rc;
}

static int flush(struct table *t, struct error *err)
{
    uint8_t sha256[CHAIN_HASH];
    char name[200], hex[2 * CHAIN_HASH + 1];

    if (t->text.len == 0) {
        return 0;
    }
    buf_reset(&t->packed);
    if (segment_pack(buf_data(&t->text), t->text.len, &t->packed, err) != 0) {
        return -1;
    }
    chain_sha256(buf_data(&t->packed), t->packed.len, sha256);
    (void)snprintf(name, sizeof name, "tables/%s/dt=%s/%s-%.16s.json.gz", t->name, t->day, t->time,
                   io_hex(sha256, sizeof sha256, hex));
    if (put(t, name, sha256, err) != 0) {
        return err_wrap(err, "%s", name);
    }
    t->objects++;
    buf_reset(&t->text);
    return 0;
}

int table_row(struct table *t, const char *json, size_t len, struct error *err)
{
    if (len >= TABLE_TEXT) {
        return err_set(err, ERR_LIMIT, "a row of %zu bytes", len);
    }
    if (t->text.len + len + 1 > TABLE_TEXT && flush(t, err) != 0) {
        return -1;
    }
    if (buf_append(&t->text, json, len, err) != 0 || buf_putc(&t->text, '\n', err) != 0) {
        return -1;
    }
    t->rows++;
    return 0;
}

int table_end(struct table *t, int64_t *ret_rows, int64_t *ret_objects, struct error *err)
{
    if (flush(t, err) != 0) {
        return -1;
    }
    *ret_rows = t->rows;
    *ret_objects = t->objects;
    return 0;
}

void table_close(struct table *t)
{
    if (t != NULL) {
        buf_clear(&t->text);
        buf_clear(&t->packed);
        free(t);
    }
}
