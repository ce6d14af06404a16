/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/verify_name.h"

#include <string.h>

#include "shipper/field.h"

#define SEQ_DIGITS 12

size_t verify_base(const char *name)
{
    size_t n = strlen(name), at = n;

    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') {
        at--;
    }
    return at < n && at >= 3 && name[at - 1] == 'r' && name[at - 2] == '.' ? at - 2 : n;
}

/* '0' stands for a digit, 'x' for one of lower-case hex, anything else for itself.  What is behind
 * it, or NULL. */
static const char *like(const char *text, const char *shape)
{
    for (; *shape != '\0'; shape++, text++) {
        bool digit = *text >= '0' && *text <= '9';

        if (*shape == '0'   ? !digit
            : *shape == 'x' ? !digit && (*text < 'a' || *text > 'f')
                            : *text != *shape) {
            return NULL;
        }
    }
    return text;
}

bool verify_day_valid(const char *text)
{
    const char *end = like(text, "0000-00-00");

    return end != NULL && *end == '\0';
}

static const char *hex(const char *text, size_t n)
{
    for (; text != NULL && n > 0; n--) {
        text = like(text, "x");
    }
    return text;
}

static const char *take(const char *from, size_t n, char *ret, size_t size)
{
    if (n >= size) {
        return NULL;
    }
    memcpy(ret, from, n);
    ret[n] = '\0';
    return from + n;
}

static const char *read_host(const char *p, struct verify_name *ret)
{
    p = p == NULL ? NULL : like(p, "host=");
    p = p == NULL ? NULL : take(p, strcspn(p, "/"), ret->host, sizeof ret->host);
    return p == NULL || !field_host_valid(ret->host) ? NULL : like(p, "/");
}

static const char *read_batch(const char *p, struct verify_name *ret)
{
    const char *end = like(p, "000000000000-00000000T000000Z-");

    for (size_t i = 0; end != NULL && i < SEQ_DIGITS; i++) {
        ret->seq = ret->seq * 10 + (p[i] - '0');
    }
    end = hex(end, 64);
    return end == NULL ? NULL : like(end, ret->kind == VERIFY_PACKS ? ".cast.gz" : ".json");
}

static const char *read_key(const char *p)
{
    const char *digits;

    p = hex(p, 32);
    digits = p = p == NULL ? NULL : like(p, "-");
    while (p != NULL && *p >= '0' && *p <= '9') {
        p++;
    }
    return p == NULL || p == digits ? NULL : like(p, ".json");
}

bool verify_name_parse(const char *name, struct verify_name *ret)
{
    const char *p = name;

    memset(ret, 0, sizeof *ret);
    ret->base = verify_base(name);
    if (strncmp(name, "keys/", 5) == 0) {
        ret->kind = VERIFY_KEYS;
        p = read_host(name + 5, ret);
        p = p == NULL ? NULL : read_key(p);
    } else {
        bool packs = strncmp(name, "packs/", 6) == 0;

        ret->kind = packs ? VERIFY_PACKS : VERIFY_BATCHES;
        p = packs ? like(name, "packs/dt=") : like(name, "batches/dt=");
        p = p == NULL ? NULL : take(p, strcspn(p, "/"), ret->day, sizeof ret->day);
        p = p == NULL || !verify_day_valid(ret->day) ? NULL : read_host(p + 1, ret);
        p = p == NULL ? NULL : read_batch(p, ret);
    }
    return p != NULL && (size_t)(p - name) == ret->base;
}
