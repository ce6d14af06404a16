/* SPDX-License-Identifier: Apache-2.0 */
/* [group NAME] sections, and `mode`, which stands for several keys.  For common/conf*.c alone. */
#ifndef TTYTRAIL_COMMON_CONF_GROUPS_H
#define TTYTRAIL_COMMON_CONF_GROUPS_H

#include "common/conf_keys.h"

/** conf_group_name(section): NAME of "group NAME"; NULL when the section is another, or the name
 * none of a Unix group. */
const char *conf_group_name(const char *section);
/** conf_groups_add(c, group, k, value, err): A line of its section: checked now, applied when it is
 * asked for. */
int conf_groups_add(struct conf *c, const char *group, const struct conf_key *k, const char *value,
                    struct error *err);
/** conf_groups_host(c, k, value, err): A line of another section. */
int conf_groups_host(struct conf *c, const struct conf_key *k, const char *value,
                     struct error *err);
/** conf_groups_mode(c): Everything is read: what `mode` says of keys without a line of their own.
 */
void conf_groups_mode(struct conf *c);
void conf_groups_clear(struct conf *c);

#endif
