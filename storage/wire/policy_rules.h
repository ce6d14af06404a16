/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a host: its policy, and those of groups.  The writer makes them of its configuration
 * and publishes them as a file, which a recorder reads when no writer answers; both find a user's
 * rule with the same function.  The first rule is the host's; of the others the first whose group
 * the user is in counts, alone.  Knows nothing of configuration files.  Layout: docs/FORMAT.md,
 * "Published policy".
 */
#ifndef TTYTRAIL_WIRE_POLICY_RULES_H
#define TTYTRAIL_WIRE_POLICY_RULES_H

#include <stddef.h>
#include <sys/types.h>

#include "storage/wire/policy.h"

#define POLICY_RULES_MAX   65U /* the host's, and one for each group that may have a section */
#define POLICY_RULES_BYTES (512U * 1024)
#define POLICY_GROUP       33

/* A way in is one bit of a rule's `ways`: enum conf_way's. */
struct policy_rule {
    char group[POLICY_GROUP]; /* "" for the host's */
    uint32_t ways;            /* the ways in that are recorded */
    struct policy policy;
};

struct policy_rules {
    struct policy_rule *list; /* owned */
    size_t n;
    char break_glass[512]; /* groups, parted by blanks or commas */
};

/** policy_rules_add(r, group, policy, ways, err): One more; the first is the host's. */
int policy_rules_add(struct policy_rules *r, const char *group, const struct policy *policy,
                     uint32_t ways, struct error *err);
void policy_rules_clear(struct policy_rules *r);

/** policy_rules_put(out, r, err): The file. */
int policy_rules_put(struct buf *out, const struct policy_rules *r, struct error *err);
/** policy_rules_parse(bytes, len, ret, err): CORRUPT names what is wrong; ${ret} is empty then. */
int policy_rules_parse(const uint8_t *bytes, size_t len, struct policy_rules *ret,
                       struct error *err);

/** policy_rules_find(r, uid, way, member, user, ret): The policy of one user on one way in (a bit;
 * 0 for one that nobody knows, which is always recorded): *ret.  ${member} says whether the user is
 * in a group; it is asked only for groups that stand in ${r}. */
void policy_rules_find(const struct policy_rules *r, uid_t uid, uint32_t way,
                       bool (*member)(void *user, const char *group), void *user,
                       struct policy *ret);

/* A user's groups, as NSS has them; a user that it does not know is in none. */
struct policy_user {
    gid_t *gids; /* owned */
    int n;
};
int policy_user_open(struct policy_user *ret, uid_t uid, struct error *err);
void policy_user_close(struct policy_user *u);
/** policy_user_member(u, group): For policy_rules_find; ${u} is a struct policy_user. */
bool policy_user_member(void *u, const char *group);
/** policy_group_id(name, ret): False when NSS has no such group, however many members it names. */
bool policy_group_id(const char *name, gid_t *ret);
/** policy_way(name): The bit of a fact way_in; 0 for another word. */
uint32_t policy_way(const char *name);

#endif
