/* SPDX-License-Identifier: Apache-2.0 */
/* Both XML documents of S3: what is handed on is bounded text, whatever the server sent. */
#include <stdlib.h>
#include <string.h>

#include "aws/s3_private.h"
#include "aws/xml_fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *user, const struct s3_item *item)
{
    unsigned *left = user;

    if (item->key[0] == '\0' || strlen(item->key) > (size_t)S3_MAX_KEY * 3 ||
        strlen(item->version) > S3_MAX_KEY) {
        abort();
    }
    return --*left == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_page page;
    struct xml_fault fault;
    unsigned left = 100;

    (void)s3_xml_page(data, size, &page, check, &left, NULL);
    xml_fault_read(data, size, &fault);
    for (const char *p = fault.message; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~') {
            abort();
        }
    }
    return 0;
}
