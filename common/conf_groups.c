/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_groups.h"

#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 64
#define LINES_MAX  64
#define NAME_MAX_  32 /* groupadd(8) */

struct line {
    const struct conf_key *key;
    char *value;
};

struct conf_group {
    char name[NAME_MAX_ + 1];
    struct line *lines;
    size_t n;
};

const char *conf_group_name(const char *section)
{
    static const char head[] = "group ";
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@\\";
    const char *name = section + sizeof head - 1;
    size_t n;

    if (strncmp(section, head, sizeof head - 1) != 0) {
        return NULL;
    }
    n = strlen(name);
    return n > 0 && n <= NAME_MAX_ && name[0] != '-' && strspn(name, allowed) == n ? name : NULL;
}

static struct conf_group *group_of(struct conf *c, const char *name, struct error *err)
{
    struct conf_group *more;

    for (size_t i = 0; i < c->n_groups; i++) {
        if (strcmp(c->groups[i].name, name) == 0) {
            return &c->groups[i];
        }
    }
    if (c->n_groups == GROUPS_MAX) {
        err_set(err, ERR_USAGE, "more than %d groups", GROUPS_MAX);
        return NULL;
    }
    more = reallocarray(c->groups, c->n_groups + 1, sizeof *more);
    if (more == NULL) {
        err_sys(err, "allocate");
        return NULL;
    }
    c->groups = more;
    more += c->n_groups++;
    memset(more, 0, sizeof *more);
    memcpy(more->name, name, strlen(name) + 1);
    return more;
}

/* Whether it would be taken: by a configuration that is thrown away. */
static int try_line(const struct conf_key *k, const char *value, struct error *err)
{
    struct conf c;
    int rc;

    if (conf_init(&c, err) != 0) {
        return -1;
    }
    rc = conf_key_set(&c, k, value, err);
    conf_clear(&c);
    return rc;
}

int conf_groups_add(struct conf *c, const char *group, const struct conf_key *k, const char *value,
                    struct error *err)
{
    struct conf_group *g = group_of(c, group, err);
    struct line *more;

    if (g == NULL || try_line(k, value, err) != 0) {
        return -1;
    }
    if (g->n == LINES_MAX) {
        return err_set(err, ERR_USAGE, "more than %d lines for group %s", LINES_MAX, group);
    }
    more = reallocarray(g->lines, g->n + 1, sizeof *more);
    if (more == NULL) {
        return err_sys(err, "allocate");
    }
    g->lines = more;
    more[g->n].key = k;
    more[g->n].value = strdup(value);
    return more[g->n].value != NULL ? (g->n++, 0) : err_sys(err, "allocate");
}

int conf_groups_host(struct conf *c, const struct conf_key *k, const char *value, struct error *err)
{
    c->said_commit |= strcmp(k->name, "commit") == 0;
    c->said_loss |= strcmp(k->name, "on_writer_loss") == 0;
    c->said_full |= strcmp(k->name, "on_disk_full") == 0;
    return conf_key_set(c, k, value, err);
}

void conf_groups_mode(struct conf *c)
{
    static const struct {
        int64_t commit, loss, full;
    } modes[] = {
        [CONF_MODE_COMMIT_FIRST] = {CONF_COMMIT_FIRST, CONF_LOSS_END, CONF_FULL_RING},
        [CONF_MODE_STRICT] = {CONF_COMMIT_FIRST, CONF_LOSS_BLOCK, CONF_FULL_END},
        [CONF_MODE_BEST_EFFORT] = {CONF_COMMIT_BATCH, CONF_LOSS_CONTINUE, CONF_FULL_CONTINUE},
    };

    c->commit = c->said_commit ? c->commit : modes[c->mode].commit;
    c->on_writer_loss = c->said_loss ? c->on_writer_loss : modes[c->mode].loss;
    c->on_disk_full = c->said_full ? c->on_disk_full : modes[c->mode].full;
}

void conf_groups_clear(struct conf *c)
{
    for (size_t i = 0; i < c->n_groups; i++) {
        for (size_t j = 0; j < c->groups[i].n; j++) {
            free(c->groups[i].lines[j].value);
        }
        free(c->groups[i].lines);
    }
    free(c->groups);
    c->groups = NULL;
    c->n_groups = 0;
}

const char *conf_group(const struct conf *c, size_t i)
{
    return i < c->n_groups ? c->groups[i].name : NULL;
}

/* All keys, and what was said; no groups. */
static int copy(const struct conf *c, struct conf *ret, struct error *err)
{
    const struct conf_key *k;
    int rc = 0;

    *ret = *c;
    ret->groups = NULL;
    ret->n_groups = 0;
    for (size_t i = 0; (k = conf_key_at(i)) != NULL; i++) {
        if (k->type == TYPE_TEXT || k->type == TYPE_PATTERN) {
            char **at = (char **)((char *)ret + k->offset);

            *at = strdup(*at);
            rc = *at == NULL ? -1 : rc;
        }
    }
    return rc == 0 ? 0 : err_sys(err, "allocate");
}

int conf_for_group(const struct conf *c, size_t i, struct conf *ret, struct error *err)
{
    const struct conf_group *g = &c->groups[i];
    int rc = copy(c, ret, err);

    for (size_t j = 0; rc == 0 && j < g->n; j++) {
        /* A mode of the group's own stands over single keys of the host. */
        if (strcmp(g->lines[j].key->name, "mode") == 0) {
            ret->said_commit = ret->said_loss = ret->said_full = false;
        }
    }
    for (size_t j = 0; rc == 0 && j < g->n; j++) {
        rc = conf_groups_host(ret, g->lines[j].key, g->lines[j].value, err);
    }
    if (rc != 0) {
        conf_clear(ret);
        return -1;
    }
    conf_groups_mode(ret);
    return 0;
}
