/* SPDX-License-Identifier: Apache-2.0 */
/* Names of objects, which anybody who may put objects chooses, and the two lists that are brought
 * along. */
#include <stdlib.h>
#include <string.h>

#include "shipper/verify.h"
#include "shipper/verify_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_name(const char *text)
{
    struct verify_name n;
    bool ours = verify_name_parse(text, &n);

    if (n.base > strlen(text) || strlen(n.host) >= sizeof n.host || n.seq < 0 ||
        n.seq > 999999999999 || strchr(n.host, '/') != NULL) {
        abort();
    }
    if (ours && (n.host[0] == '\0' || strstr(n.host, "/") != NULL || n.host[0] == '.' ||
                 (n.kind != VERIFY_KEYS && !verify_day_valid(n.day)))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct verify_names names;
    struct verify_pins pins;
    struct error err;

    if (text == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    try_name(text);
    (void)verify_pins_parse((const char *)data, size, &pins, &err);
    verify_pins_clear(&pins);
    (void)verify_names_parse((const char *)data, size, &names, &err);
    verify_names_clear(&names);
    free(text);
    return 0;
}
