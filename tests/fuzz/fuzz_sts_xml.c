/* SPDX-License-Identifier: Apache-2.0 */
/* STS's answers: keys, and refusals. */
#include <stdlib.h>
#include <string.h>

#include "aws/creds_sts.h"
#include "aws/xml_fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, char first)
{
    for (; *text != '\0'; text++) {
        if (*text < first || *text > '~') {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct creds_keys k;
    struct xml_fault fault;
    struct error err = {0};

    memset(&k, 0, sizeof k);
    if (creds_sts_parse(data, size, &k, &err) == 0
            ? k.access_key[0] == '\0' || k.secret_key[0] == '\0' || k.token[0] == '\0'
            : err.kind == ERR_NONE) {
        abort();
    }
    check_text(k.access_key, '!');
    check_text(k.secret_key, '!');
    check_text(k.token, '!');
    xml_fault_read(data, size, &fault);
    check_text(fault.code, '!');
    check_text(fault.message, ' ');
    return 0;
}
