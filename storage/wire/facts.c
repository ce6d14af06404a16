/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"

#define KEY_MAX 64

static bool key_valid(const uint8_t *key, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = (char)key[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) {
            return false;
        }
    }
    return len >= 1 && len <= KEY_MAX;
}

int facts_put(struct buf *out, const char *key, const void *value, size_t len, struct error *err)
{
    size_t klen = strlen(key), all = 1 + klen + 4 + len;
    uint8_t *at;

    if (!key_valid((const uint8_t *)key, klen)) {
        return err_set(err, ERR_USAGE, "fact's name '%.64s'", key);
    }
    if (all > FACTS_MAX || out->len > FACTS_MAX - all) {
        return err_set(err, ERR_LIMIT, "facts of more than %u bytes", FACTS_MAX);
    }
    if (buf_reserve(out, all, &at, err) != 0) {
        return -1;
    }
    at[0] = (uint8_t)klen;
    memcpy(at + 1, key, klen);
    io_put_be32(at + 1 + klen, (uint32_t)len);
    if (len > 0) {
        memcpy(at + 1 + klen + 4, value, len);
    }
    buf_commit(out, all);
    return 0;
}

int facts_put_text(struct buf *out, const char *key, const char *value, struct error *err)
{
    return facts_put(out, key, value, strlen(value), err);
}

int facts_put_int(struct buf *out, const char *key, int64_t value, struct error *err)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    return facts_put_text(out, key, text, err);
}

/* One fact at ${at}; false when the bytes do not hold one. */
static bool fact_at(const uint8_t *bytes, size_t len, size_t at, const uint8_t **key, size_t *klen,
                    const uint8_t **value, size_t *vlen)
{
    uint32_t n;

    if (at >= len) {
        return false;
    }
    *klen = bytes[at];
    if (len - at < 1 + *klen + 4) {
        return false;
    }
    *key = bytes + at + 1;
    n = io_get_be32(*key + *klen);
    *value = *key + *klen + 4;
    if (n > len - at - 1 - *klen - 4) {
        return false;
    }
    *vlen = n;
    return true;
}

int facts_parse(const uint8_t *bytes, size_t len, struct facts *ret, struct error *err)
{
    const uint8_t *key, *value, *other, *v2;
    size_t klen = 0, vlen = 0, olen = 0, vl2 = 0, n = 0;

    if (len > FACTS_MAX) {
        return err_set(err, ERR_LIMIT, "facts of %zu bytes", len);
    }
    for (size_t at = 0; at < len; at += 1 + klen + 4 + vlen) {
        /* Each is held against those before it: their number is bounded, too. */
        if (n++ == FACTS_COUNT_MAX) {
            return err_set(err, ERR_LIMIT, "more than %d facts", FACTS_COUNT_MAX);
        }
        if (!fact_at(bytes, len, at, &key, &klen, &value, &vlen) || !key_valid(key, klen)) {
            return err_set(err, ERR_CORRUPT, "facts are damaged at byte %zu", at);
        }
        for (size_t b = 0; b < at; b += 1 + olen + 4 + vl2) {
            if (fact_at(bytes, len, b, &other, &olen, &v2, &vl2) && olen == klen &&
                memcmp(other, key, klen) == 0) {
                return err_set(err, ERR_CORRUPT, "fact at byte %zu stands twice", at);
            }
        }
    }
    ret->bytes = bytes;
    ret->len = len;
    return 0;
}

bool facts_next(const struct facts *f, size_t *at, char key[65], const uint8_t **value, size_t *len)
{
    const uint8_t *k;
    size_t klen;

    if (!fact_at(f->bytes, f->len, *at, &k, &klen, value, len) || klen > KEY_MAX) {
        return false;
    }
    memcpy(key, k, klen);
    key[klen] = '\0';
    *at += 1 + klen + 4 + *len;
    return true;
}

bool facts_get(const struct facts *f, const char *key, const uint8_t **value, size_t *len)
{
    char name[65];
    size_t at = 0;

    while (facts_next(f, &at, name, value, len)) {
        if (strcmp(name, key) == 0) {
            return true;
        }
    }
    return false;
}

char *facts_text(const struct facts *f, const char *key, char *out, size_t size)
{
    const uint8_t *value;
    size_t len = 0;

    if (!facts_get(f, key, &value, &len)) {
        len = 0;
    }
    if (len >= size) {
        len = size - 1;
    }
    if (len > 0) {
        memcpy(out, value, len);
    }
    out[len] = '\0';
    return out;
}

int64_t facts_int(const struct facts *f, const char *key, int64_t fallback)
{
    char text[32], *end;
    long long n;

    facts_text(f, key, text, sizeof text);
    n = strtoll(text, &end, 10);
    return end == text || *end != '\0' ? fallback : (int64_t)n;
}
