/* SPDX-License-Identifier: Apache-2.0 */
/* The shared credentials and config files. */
#include <stdlib.h>
#include <string.h>

#include "aws/creds_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct creds_profile p;

    for (int config_file = 0; config_file < 2; config_file++) {
        struct error err = {0};

        memset(&p, 0, sizeof p);
        if (creds_profile_parse((const char *)data, size, config_file != 0, "default", &p, &err) !=
                0 &&
            err.kind == ERR_NONE) {
            abort();
        }
        if (strpbrk(p.keys.token, " \t\n") != NULL || strlen(p.region) >= sizeof p.region) {
            abort();
        }
        creds_profile_clear(&p);
    }
    return 0;
}
