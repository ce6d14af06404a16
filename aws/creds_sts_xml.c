/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "aws/creds_sts.h"
#include "aws/xml.h"

struct reading {
    struct creds_keys *keys;
    bool inside; /* <Credentials> */
    unsigned have;
};

static const char *on_start(void *user, int depth, const char *name)
{
    struct reading *r = user;

    if (depth == 1 && strcmp(name, "AssumeRoleResponse") != 0 &&
        strcmp(name, "AssumeRoleWithWebIdentityResponse") != 0) {
        return "another document";
    }
    if (depth == 3) {
        r->inside = strcmp(name, "Credentials") == 0;
    }
    return NULL;
}

static const char *on_end(void *user, int depth, const char *name, const char *text, size_t len)
{
    struct reading *r = user;
    struct creds_keys *k = r->keys;
    const struct {
        const char *name;
        char *to;
        size_t size;
    } fields[] = {{"AccessKeyId", k->access_key, sizeof k->access_key},
                  {"SecretAccessKey", k->secret_key, sizeof k->secret_key},
                  {"SessionToken", k->token, sizeof k->token}};

    if (depth != 4 || !r->inside) {
        return NULL;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(name, fields[i].name) == 0) {
            if (len == 0 || creds_put(fields[i].to, fields[i].size, text, len, "key", NULL) != 0) {
                return "a bad key";
            }
            r->have |= 1U << i;
        }
    }
    if (strcmp(name, "Expiration") == 0) {
        if (creds_time(text, &k->expires_us) != 0) {
            return "a bad Expiration";
        }
        r->have |= 8;
    }
    return NULL;
}

int creds_sts_parse(const void *bytes, size_t len, struct creds_keys *ret, struct error *err)
{
    struct reading r = {.keys = ret};
    struct xml_handler h = {.start = on_start, .end = on_end, .user = &r};

    if (xml_read(&h, bytes, len, CREDS_MAX_DOCUMENT, err) != 0) {
        return -1;
    }
    return r.have == 15 ? 0 : err_set(err, ERR_CORRUPT, "the answer's XML: no whole credentials");
}
