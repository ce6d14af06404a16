/* SPDX-License-Identifier: Apache-2.0 */
/* Route tables as the kernel has them, and AWS's file of address ranges. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "aws/road.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct road_address a[2] = {{.family = AF_INET, .bytes = {52, 219, 44, 1}},
                                {.family = AF_INET6, .bytes = {0x2a, 0x05, 0xd0, 0x50, 0x40}}};
    struct error err;
    char *text = malloc(size + 1);
    int rc;

    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    rc = road_default4(text);
    if (rc < -1 || rc > 1 || road_default6(text) > 1) {
        abort();
    }
    err_clear(&err);
    rc = road_in_ranges((const char *)data, size, "eu-central-1", a, 2, &err);
    if (rc < 0 && (err.kind == ERR_NONE || err.text[0] == '\0')) {
        abort();
    }
    free(text);
    return 0;
}
