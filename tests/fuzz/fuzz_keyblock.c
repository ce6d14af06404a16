/* SPDX-License-Identifier: Apache-2.0 */
/* What the metadata service answers with, and keys and certificates of SSH. */
#include <stdlib.h>
#include <string.h>

#include "trail/keyblock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_blocks(const char *text, size_t len)
{
    static struct keyblock b;
    struct buf out;
    size_t at = 0, before = 0;

    buf_init(&out, KEYBLOCK_TEXT_MAX + 65536);
    while (keyblock_next(text, len, &at, &b)) {
        if (at <= before || b.to > len || b.from >= b.to || b.signed_len > sizeof b.signed_text ||
            b.signature_len > sizeof b.signature ||
            memchr(b.caller, '\0', sizeof b.caller) == NULL) {
            abort();
        }
        before = at;
        if (b.fault == NULL &&
            keyblock_select(text, len, b.key.blob, b.key.blob_len, &out, NULL) == 0) {
            abort(); /* itself, at least */
        }
        buf_reset(&out);
    }
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyblock_want want = {.instance = "i-1", .region = ""};
    static struct keyblock_verdict v;
    struct sshkey_cert cert;
    struct sshkey key;

    look_at_blocks((const char *)data, size);
    (void)sshkey_cert(data, size, &cert);
    if (sshkey_line((const char *)data, size, &key)) {
        (void)sshkey_cert(key.blob, key.blob_len, &cert);
        want.blob = key.blob;
        want.blob_len = key.blob_len;
    }
    keyblock_judge(NULL, (const char *)data, size, (const char *)data, size, &want, &v);
    if (v.verified) {
        abort(); /* nobody is trusted */
    }
    return 0;
}
