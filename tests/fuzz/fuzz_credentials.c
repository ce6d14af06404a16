/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON documents that hold credentials: the first byte says which one. */
#include <stdlib.h>
#include <string.h>

#include "aws/creds_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            abort();
        }
    }
}

static void keys(enum creds_json_form form, const char *doc, size_t len)
{
    static struct creds_keys k;
    struct error err = {0};

    memset(&k, 0, sizeof k);
    if (creds_json_keys(doc, len, form, &k, &err) == 0) {
        if (k.access_key[0] == '\0' || k.secret_key[0] == '\0' ||
            (form != CREDS_JSON_PROCESS && (k.token[0] == '\0' || k.expires_us == 0))) {
            abort();
        }
    } else if (err.kind == ERR_NONE) {
        abort();
    }
    check_text(k.access_key);
    check_text(k.secret_key);
    check_text(k.token);
    check_text(k.source);
}

static void sso_token(const char *doc, size_t len)
{
    static struct creds_sso_token t;
    struct error err = {0};

    if (creds_json_sso_token(doc, len, &t, &err) == 0 ? t.token[0] == '\0' : err.kind == ERR_NONE) {
        abort();
    }
    check_text(t.token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char which[] = "icpst"; /* instance, container, process, SSO, SSO's token */
    const char *at = size == 0 ? NULL : memchr(which, data[0], 5);

    if (at == NULL) {
        return 0;
    }
    if (*at == 't') {
        sso_token((const char *)data + 1, size - 1);
    } else {
        keys((enum creds_json_form)(at - which), (const char *)data + 1, size - 1);
    }
    return 0;
}
