/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/policy_rules.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"

#define MAGIC     "ttytrail policy 1\n"
#define MAGIC_LEN (sizeof MAGIC - 1)
#define GROUPS    65536 /* of one user, as NGROUPS_MAX */
#define NSS_BYTES 16777216U
#define BLANKS    " ,\t"

int policy_rules_add(struct policy_rules *r, const char *group, const struct policy *policy,
                     uint32_t ways, struct error *err)
{
    struct policy_rule *more;
    size_t len = strlen(group);

    if (r->n == POLICY_RULES_MAX || len >= POLICY_GROUP || (r->n == 0) != (len == 0)) {
        return err_set(err, ERR_CORRUPT, "policy: a rule too many, or in the wrong place");
    }
    more = reallocarray(r->list, r->n + 1, sizeof *more);
    if (more == NULL) {
        return err_sys(err, "allocate");
    }
    r->list = more;
    more += r->n++;
    memset(more, 0, sizeof *more);
    memcpy(more->group, group, len + 1);
    more->ways = ways;
    more->policy = *policy;
    return 0;
}

void policy_rules_clear(struct policy_rules *r)
{
    free(r->list);
    memset(r, 0, sizeof *r);
}

/* ---- the file ---- */

static int put_rule(struct buf *out, const struct policy_rules *r, size_t i, struct error *err)
{
    const struct policy_rule *rule = &r->list[i];
    uint8_t head[4];
    struct buf facts;
    int rc = -1;

    buf_init(&facts, FACTS_MAX);
    if (facts_put_text(&facts, "match.group", rule->group, err) == 0 &&
        facts_put_int(&facts, "match.ways", rule->ways, err) == 0 &&
        (i > 0 || facts_put_text(&facts, "match.break_glass", r->break_glass, err) == 0) &&
        policy_put(&facts, &rule->policy, err) == 0) {
        io_put_be32(head, (uint32_t)facts.len);
        rc = buf_append(out, head, sizeof head, err) != 0 ||
                     buf_append(out, buf_data(&facts), facts.len, err) != 0
                 ? -1
                 : 0;
    }
    buf_clear(&facts);
    return rc;
}

int policy_rules_put(struct buf *out, const struct policy_rules *r, struct error *err)
{
    if (buf_append(out, MAGIC, MAGIC_LEN, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < r->n; i++) {
        if (put_rule(out, r, i, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int parse_rule(const uint8_t *bytes, size_t len, struct policy_rules *ret, struct error *err)
{
    char group[POLICY_GROUP + 1];
    struct policy policy;
    struct facts f;
    int64_t ways;

    if (facts_parse(bytes, len, &f, err) != 0) {
        return -1;
    }
    facts_text(&f, "match.group", group, sizeof group);
    ways = facts_int(&f, "match.ways", -1);
    if (ways < 0 || ways > UINT32_MAX) {
        return err_set(err, ERR_CORRUPT, "policy: no ways in a rule");
    }
    if (ret->n == 0) {
        facts_text(&f, "match.break_glass", ret->break_glass, sizeof ret->break_glass);
    }
    policy_defaults(&policy);
    policy_from(&policy, &f);
    return policy_rules_add(ret, group, &policy, (uint32_t)ways, err);
}

int policy_rules_parse(const uint8_t *bytes, size_t len, struct policy_rules *ret,
                       struct error *err)
{
    size_t at = MAGIC_LEN;
    int rc = 0;

    memset(ret, 0, sizeof *ret);
    if (len < MAGIC_LEN || memcmp(bytes, MAGIC, MAGIC_LEN) != 0) {
        return err_set(err, ERR_CORRUPT, "policy: it does not begin as one");
    }
    while (rc == 0 && at < len) {
        uint32_t n = len - at < 4 ? 0 : io_get_be32(bytes + at);

        if (len - at < 4 || n > FACTS_MAX || n > len - at - 4) {
            rc = err_set(err, ERR_CORRUPT, "policy: cut at byte %zu", at);
        } else {
            rc = parse_rule(bytes + at + 4, n, ret, err);
            at += 4 + (size_t)n;
        }
    }
    if (rc == 0 && ret->n == 0) {
        rc = err_set(err, ERR_CORRUPT, "policy: it has no rule");
    }
    if (rc != 0) {
        policy_rules_clear(ret);
    }
    return rc;
}

/* ---- whose ---- */

static bool in_list(const char *list, bool (*member)(void *user, const char *group), void *user)
{
    char name[POLICY_GROUP];

    for (list += strspn(list, BLANKS); *list != '\0'; list += strspn(list, BLANKS)) {
        size_t n = strcspn(list, BLANKS);

        if (n < sizeof name) {
            memcpy(name, list, n);
            name[n] = '\0';
            if (member(user, name)) {
                return true;
            }
        }
        list += n;
    }
    return false;
}

void policy_rules_find(const struct policy_rules *r, uid_t uid, uint32_t way,
                       bool (*member)(void *user, const char *group), void *user,
                       struct policy *ret)
{
    const struct policy_rule *rule = r->n > 0 ? &r->list[0] : NULL;

    for (size_t i = 1; i < r->n; i++) {
        if (member(user, r->list[i].group)) {
            rule = &r->list[i];
            break;
        }
    }
    if (rule == NULL) {
        policy_defaults(ret);
    } else {
        *ret = rule->policy;
        ret->record = ret->record && (way == 0 || (rule->ways & way) != 0);
    }
    ret->break_glass = uid == 0 || in_list(r->break_glass, member, user);
}

int policy_user_open(struct policy_user *ret, uid_t uid, struct error *err)
{
    char text[16384];
    struct passwd entry, *found = NULL;
    int n = 64;

    memset(ret, 0, sizeof *ret);
    if (getpwuid_r(uid, &entry, text, sizeof text, &found) != 0 || found == NULL) {
        return 0;
    }
    for (;;) {
        gid_t *more = reallocarray(ret->gids, (size_t)n, sizeof *more);
        int had = n;

        if (more == NULL) {
            policy_user_close(ret);
            return err_sys(err, "allocate");
        }
        ret->gids = more;
        if (getgrouplist(entry.pw_name, entry.pw_gid, ret->gids, &n) >= 0) {
            ret->n = n;
            return 0;
        }
        if (n <= had || n > GROUPS) {
            ret->n = had;
            return 0;
        }
    }
}

void policy_user_close(struct policy_user *u)
{
    free(u->gids);
    memset(u, 0, sizeof *u);
}

/* NSS wants room for all members, of whom there may be thousands. */
bool policy_group_id(const char *name, gid_t *ret)
{
    struct group entry, *found = NULL;
    int rc = ERANGE;

    for (size_t size = 16384; rc == ERANGE && size <= NSS_BYTES; size *= 4) {
        char *text = malloc(size);

        rc = text == NULL ? ENOMEM : getgrnam_r(name, &entry, text, size, &found);
        if (rc == 0 && found != NULL) {
            *ret = entry.gr_gid;
        }
        free(text);
    }
    return rc == 0 && found != NULL;
}

bool policy_user_member(void *user, const char *group)
{
    const struct policy_user *u = user;
    gid_t gid = 0;

    if (!policy_group_id(group, &gid)) {
        return false;
    }
    for (int i = 0; i < u->n; i++) {
        if (u->gids[i] == gid) {
            return true;
        }
    }
    return false;
}

uint32_t policy_way(const char *name)
{
    static const char *const names[] = {"login", "command", "subsystem", "su",
                                        "sudo",  "console", "ssm"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return UINT32_C(1) << i;
        }
    }
    return 0;
}
