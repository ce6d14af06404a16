/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical paths and queries: making a canonical one canonical again changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char fine[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%&=";
    struct buf first, second, path;
    char *text = strndup((const char *)data, size);

    buf_init(&first, SIGV4_MAX_BYTES);
    buf_init(&second, SIGV4_MAX_BYTES);
    buf_init(&path, SIGV4_MAX_BYTES);
    if (text != NULL && sigv4_canonical_query(&first, text, NULL) == 0 &&
        sigv4_canonical_query(&second, buf_text(&first, NULL), NULL) == 0) {
        const char *once = buf_text(&first, NULL), *twice = buf_text(&second, NULL);

        if (strcmp(once, twice) != 0 || once[strspn(once, fine)] != '\0') {
            abort();
        }
    }
    if (text != NULL && sigv4_canonical_path(&path, text, SIGV4_PATH_GENERIC, NULL) == 0 &&
        (*buf_text(&path, NULL) != '/' || strstr(buf_text(&path, NULL), "//") != NULL ||
         strstr(buf_text(&path, NULL), "/../") != NULL)) {
        abort();
    }
    free(text);
    buf_clear(&first);
    buf_clear(&second);
    buf_clear(&path);
    return 0;
}
