/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared config and credentials files, read and merged: sections with their properties.  Knows
 * the SDKs' rules of merging (the credentials file wins, [profile default] overrides [default], the
 * last of two equal names counts) and nothing of what a property means.  It holds keys: all of it
 * is wiped by creds_files_clear.
 */
#ifndef TTYTRAIL_AWS_CREDS_FILES_H
#define TTYTRAIL_AWS_CREDS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "aws/creds_ini.h"
#include "common/err.h"

#define CREDS_FILES_MAX      ((size_t)1024 * 1024) /* bytes of one file */
#define CREDS_FILES_SECTIONS 4096
#define CREDS_FILES_SETTINGS 128 /* of one section */

struct creds_setting {
    char *name, *value; /* name in lower case */
};

struct creds_section {
    enum creds_ini_kind kind;
    char *name;
    struct creds_setting *settings;
    size_t count;
};

struct creds_files {
    struct creds_section *sections;
    size_t count;
};

/** creds_files_add(f, bytes, len, config_file, err): Put what a file says over what ${f} holds: the
 * config file first.  USAGE for what is no such file, LIMIT above the bounds. */
int creds_files_add(struct creds_files *f, const char *bytes, size_t len, bool config_file,
                    struct error *err);
/** creds_files_paths(config, credentials): Where the environment says they lie ("" for nowhere),
 * into PATH_MAX bytes each. */
void creds_files_paths(char *config, char *credentials);
/** creds_files_load(f, err): Both, into the empty ${f}.  A file that does not exist says nothing.
 */
int creds_files_load(struct creds_files *f, struct error *err);
void creds_files_clear(struct creds_files *f);

/** creds_files_find(f, kind, name): NULL when there is none. */
const struct creds_section *creds_files_find(const struct creds_files *f, enum creds_ini_kind kind,
                                             const char *name);
/** creds_files_get(s, name): A section's property, "" when there is none (or no section: NULL). */
const char *creds_files_get(const struct creds_section *s, const char *name);
/** creds_files_nested(s, name, inner, ret, size): Of "name =\n  inner = value" the value, or "";
 * cut to ${size}. */
void creds_files_nested(const struct creds_section *s, const char *name, const char *inner,
                        char *ret, size_t size);

/** creds_files_profile(ret_named): The profile that the environment selects, borrowed from it;
 * "default" where it says nothing, and ${ret_named} then false. */
const char *creds_files_profile(bool *ret_named);

#endif
