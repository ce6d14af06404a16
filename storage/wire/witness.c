/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/witness.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The next word of [*at, end): printable ASCII, blanks between; false when there is none, it is
 * longer than fits, or of other characters. */
static bool word(const char **at, const char *end, const char **ret, size_t *len, size_t max)
{
    while (*at < end && **at == ' ') {
        (*at)++;
    }
    *ret = *at;
    while (*at<end &&* * at> ' ' && **at < 0x7f) {
        (*at)++;
    }
    *len = (size_t)(*at - *ret);
    return *len > 0 && *len <= max && (*at == end || **at == ' ');
}

static bool word_into(const char **at, const char *end, char *ret, size_t size)
{
    const char *p;
    size_t len;

    ret[0] = '\0';
    if (!word(at, end, &p, &len, size - 1)) {
        return false;
    }
    memcpy(ret, p, len);
    ret[len] = '\0';
    return true;
}

/* Padded or not; 0 for what is no base64. */
static size_t decode(const char *p, size_t len, uint8_t *to, size_t max)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    while (len > 0 && p[len - 1] == '=') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        const char *digit = memchr(digits, p[i], 64);

        if (digit == NULL) {
            return 0;
        }
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have >= 8) {
            if (n == max) {
                return 0;
            }
            have -= 8;
            to[n++] = (uint8_t)(bits >> have);
        }
    }
    return n;
}

/* A key's blob names its own type: u32 length, text. */
static bool is_key(const struct witness_auth *a)
{
    size_t n = strlen(a->key_type);

    return a->blob_len > 4 + n && a->blob[0] == 0 && a->blob[1] == 0 && a->blob[2] == 0 &&
           a->blob[3] == n && memcmp(a->blob + 4, a->key_type, n) == 0;
}

static bool line(const char *at, const char *end, struct witness_auth *a)
{
    const char *key;
    size_t len;

    a->key_type[0] = '\0';
    a->blob_len = 0;
    if (!word_into(&at, end, a->method, sizeof a->method)) {
        return false;
    }
    if (word_into(&at, end, a->key_type, sizeof a->key_type) &&
        word(&at, end, &key, &len, WITNESS_BLOB_MAX / 3 * 4)) {
        a->blob_len = decode(key, len, a->blob, sizeof a->blob);
    }
    if (!is_key(a)) {
        a->key_type[0] = '\0';
        a->blob_len = 0;
    }
    return true;
}

bool witness_auth(const char *text, size_t len, struct witness_auth *ret)
{
    const char *at = text, *end = text + len;
    struct witness_auth one;
    bool found = false;

    memset(ret, 0, sizeof *ret);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        stop = stop == NULL ? end : stop;
        if (line(at, stop, &one) && (one.blob_len > 0 || ret->blob_len == 0)) {
            *ret = one;
            found = true;
        }
        at = stop + (stop < end);
    }
    return found;
}

bool witness_peer(const char *text, size_t len, struct witness_peer *ret)
{
    const char *at = text;
    bool good = word_into(&at, text + len, ret->address, sizeof ret->address) &&
                word_into(&at, text + len, ret->port, sizeof ret->port) &&
                strspn(ret->port, "0123456789") == strlen(ret->port);

    if (!good) {
        memset(ret, 0, sizeof *ret);
    }
    return good;
}

void witness_fingerprint(const uint8_t hash[32], char ret[52])
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 7;

    memcpy(ret, "SHA256:", 7);
    for (size_t i = 0; i < 32; i++) {
        bits = bits << 8 | hash[i];
        for (have += 8; have >= 6; have -= 6) {
            ret[n++] = digits[bits >> (have - 6) & 63];
        }
    }
    ret[n++] = digits[bits << (6 - have) & 63];
    ret[n] = '\0';
}
