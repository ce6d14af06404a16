/* SPDX-License-Identifier: Apache-2.0 */
/* list's predicates: lines are the words of the command line (one line: a quoted argument). */
#include <stdlib.h>
#include <string.h>

#include "replay/expression.h"

#define MAX_WORDS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char empty[] = "";
    struct session_row s = {.user = empty, .title = empty, .flags = empty, .started_us = 1};
    char *text = malloc(size + 1), *argv[MAX_WORDS], *rest = text;
    struct expression *e = NULL;
    struct error err;
    int argc = 0;

    if (text == NULL) {
        abort();
    }
    memcpy(text, size > 0 ? (const char *)data : "", size);
    text[size] = '\0';
    for (char *word; argc < MAX_WORDS && (word = strsep(&rest, "\n")) != NULL;) {
        argv[argc++] = word;
    }
    err_clear(&err);
    if (expression_parse(&e, argc, argv, &err) == 0) {
        (void)expression_match(e, &s);
    } else if (err.kind != ERR_USAGE || err.text[0] == '\0' || e != NULL) {
        abort();
    }
    expression_free(e);
    free(text);
    return 0;
}
