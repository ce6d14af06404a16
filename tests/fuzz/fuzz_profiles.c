/* SPDX-License-Identifier: Apache-2.0 */
/* The shared config and credentials files, and what a profile in them says. */
#include <stdlib.h>
#include <string.h>

#include "aws/creds_chain.h"
#include "aws/creds_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_settings(const struct creds_section *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const char *name = s->settings[i].name;

        if (*name == '\0' || strpbrk(name, " \t\n=[]#;ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL ||
            creds_files_get(s, name) != s->settings[i].value) {
            abort();
        }
    }
}

static void check_chain(const struct creds_files *f, const char *name)
{
    struct error err = {0};
    struct creds_chain c;
    int rc = creds_chain_make(f, name, true, &c, &err);

    if ((rc != 1) != (err.kind != ERR_NONE) || c.role_count > CREDS_CHAIN_MAX ||
        (rc == 1 && c.profile == NULL)) {
        abort();
    }
    for (size_t i = 0; rc == 1 && i < c.role_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (c.roles[i] == c.roles[k]) {
                abort(); /* a loop */
            }
        }
    }
}

static void check_process(const char *command)
{
    char store[CREDS_PROCESS_BYTES], *argv[CREDS_PROCESS_WORDS + 1];
    int n = creds_process_split(command, store, argv, NULL);

    if (n > CREDS_PROCESS_WORDS || (n > 0 && argv[n] != NULL)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int config_file = 0; config_file < 2; config_file++) {
        struct creds_files f = {.count = 0};
        struct error err = {0};
        char nested[64];

        if (creds_files_add(&f, (const char *)data, size, config_file != 0, &err) != 0 &&
            err.kind == ERR_NONE) {
            abort();
        }
        for (size_t i = 0; i < f.count && i < 64; i++) {
            check_settings(&f.sections[i]);
            check_chain(&f, f.sections[i].name);
            check_process(creds_files_get(&f.sections[i], "credential_process"));
            creds_files_nested(&f.sections[i], "sts", "endpoint_url", nested, sizeof nested);
        }
        creds_files_clear(&f);
    }
    return 0;
}
