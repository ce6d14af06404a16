/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and key objects as a bucket gives them: whatever is read has to be writable as names.
 */
#include <stdlib.h>
#include <string.h>

#include "shipper/keyobject.h"
#include "shipper/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[MANIFEST_OBJECT_NAME];
    uint8_t head[CHAIN_HASH];
    struct json *json = NULL;
    struct keyobject k;
    struct manifest m;
    struct error err;

    if (json_open(&json, &err) != 0) {
        abort();
    }
    if (manifest_read(json, data, size, &m, &err) == 0) {
        manifest_pack_name(&m, name);
        if (strlen(name) >= sizeof name - 1 || strstr(name, "..") != NULL ||
            manifest_head(&m, head, &err) != 0) {
            abort();
        }
        (void)manifest_signed(data, size, m.public_key);
    } else if (err.text[0] == '\0') {
        abort();
    }
    manifest_clear(&m);
    (void)keyobject_read(json, data, size, &k, &err);
    json_close(json);
    return 0;
}
