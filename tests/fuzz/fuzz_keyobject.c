/* SPDX-License-Identifier: Apache-2.0 */
/* Key objects as a bucket gives them.  The bytes are taken as they are; and the same is
 * signed with a key of our own, so that what stands behind the signature is reached, too. */
#include <stdlib.h>
#include <string.h>

#include "shipper/keyobject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_one(struct json *json, const uint8_t *line, size_t len)
{
    char name[KEYOBJECT_HOST + 128];
    struct keyobject k;
    struct error err = {.kind = ERR_NONE};

    memset(&k, 0xa5, sizeof k);
    if (keyobject_read(json, line, len, &k, &err) != 0) {
        if (err.text[0] == '\0') {
            abort();
        }
        return;
    }
    keyobject_name(k.host, k.epoch, k.number, name, sizeof name);
    if (strlen(name) >= sizeof name - 1 || strstr(name, "..") != NULL || k.number < 1 ||
        k.from_seq < 1 || (k.chained && k.previous_ok != 0 && k.previous_ok != 1)) {
        abort();
    }
}

/* ${data} with "PUBLIC" for the key's public half, and a signature. */
static void try_signed(struct json *json, const struct key *key, const uint8_t *data, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    struct error err;
    struct buf line;

    buf_init(&line, 2U * KEYOBJECT_MAX);
    for (size_t i = 0; i < size && line.len < KEYOBJECT_MAX; i++) {
        if (size - i >= 6 && memcmp(data + i, "PUBLIC", 6) == 0) {
            for (size_t b = 0; b < KEY_PUBLIC; b++) {
                (void)buf_putc(&line, hex[key_public(key)[b] >> 4], &err);
                (void)buf_putc(&line, hex[key_public(key)[b] & 15], &err);
            }
            i += 5;
        } else {
            (void)buf_putc(&line, (char)data[i], &err);
        }
    }
    if (key_seal_line(key, KEYOBJECT_DOMAIN, &line, &err) == 0) {
        try_one(json, buf_data(&line), line.len);
    }
    buf_clear(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct key *key; /* made once: what is signed does not depend on which it is */
    const struct key_binding binding = {.number = 1};
    struct json *json = NULL;
    struct error err;

    if ((key == NULL && key_generate(&key, &binding, &err) != 0) || json_open(&json, &err) != 0) {
        abort();
    }
    try_one(json, data, size);
    try_signed(json, key, data, size);
    json_close(json);
    return 0;
}
