/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of every key of ttytrail.conf, and how a value is taken (common/conf.h says the rest).
 * For common/conf*.c alone.
 */
#ifndef TTYTRAIL_COMMON_CONF_KEYS_H
#define TTYTRAIL_COMMON_CONF_KEYS_H

#include <stddef.h>

#include "common/conf.h"

enum conf_type { TYPE_NUMBER, TYPE_CHOICE, TYPE_TEXT, TYPE_PATTERN };

struct conf_key {
    const char *section, *name;
    enum conf_type type;
    size_t offset;
    const char *fallback;
    /* TYPE_NUMBER: bounds; TYPE_CHOICE: the words in order of value, split by '|'. */
    int64_t min, max;
    const char *words;
};

/** conf_key_at(i): The table, in order; NULL behind its end. */
const struct conf_key *conf_key_at(size_t i);
/** conf_key_find(section, name): NULL when there is none. */
const struct conf_key *conf_key_find(const char *section, const char *name);
/** conf_key_of_group(name): The key that a [group] section means by it; NULL when it may not. */
const struct conf_key *conf_key_of_group(const char *name);
/** conf_key_set(c, k, value, err): Check and take it; a pattern is one more alternative. */
int conf_key_set(struct conf *c, const struct conf_key *k, const char *value, struct error *err);

#endif
