/* SPDX-License-Identifier: Apache-2.0 */
/* The host's policy and its groups', made of the configuration, and published for recorders that
 * get no answer (docs/DESIGN.md section 11). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

#define PUBLISHED "policy"

static void policy_of(const struct conf *c, struct policy *p)
{
    policy_defaults(p);
    p->commit_first = c->commit == CONF_COMMIT_FIRST;
    p->commit_ms = (uint32_t)c->commit_ms;
    p->input = c->input != 0;
    p->stream_input = c->stream_input != 0;
    p->stream_kib = (uint32_t)c->stream_kib;
    p->on_writer_loss = (enum policy_loss)c->on_writer_loss;
    p->writer_timeout_s = (uint32_t)c->writer_timeout_s;
    p->redact = (enum policy_redact)c->redact;
    p->hold_max_kib = (uint32_t)c->hold_max_kib;
    p->hold_max_s = (uint32_t)c->hold_max_s;
    p->blind = (enum policy_blind)c->blind_commands;
    p->mask_hide = c->mask_output == CONF_MASK_HIDE;
    p->typeahead_hold_s = (uint32_t)c->typeahead_hold_s;
    p->tokens = c->tokens != 0;
    p->max_no_echo = (uint32_t)c->max_no_echo;
    p->on_disk_full = (enum policy_full)c->on_disk_full;
    p->ring_kib = (uint32_t)c->ring_kib;
    p->on_idle = (enum policy_idle)c->on_idle;
    p->idle_s = (uint32_t)c->idle_s;
    p->max_depth = (uint32_t)c->max_depth;
    p->record = c->record != 0;
    (void)snprintf(p->shell, sizeof p->shell, "%s", c->shell);
    (void)snprintf(p->prompt_patterns, sizeof p->prompt_patterns, "%s", c->prompt_patterns);
    (void)snprintf(p->notice, sizeof p->notice, "%s", c->notice);
}

static int add_rule(struct policy_rules *r, const char *group, const struct conf *c,
                    struct error *err)
{
    struct policy p;
    uint32_t ways = CONF_WAYS_ALL;

    policy_of(c, &p);
    (void)conf_ways(c->ways, &ways);
    return policy_rules_add(r, group, &p, ways, err);
}

int rules_make(const struct conf *c, struct policy_rules *ret, struct error *err)
{
    int rc;

    memset(ret, 0, sizeof *ret);
    (void)snprintf(ret->break_glass, sizeof ret->break_glass, "%s", c->break_glass);
    rc = add_rule(ret, "", c, err);
    for (size_t i = 0; rc == 0 && conf_group(c, i) != NULL; i++) {
        struct conf group;

        rc = conf_for_group(c, i, &group, err);
        if (rc == 0) {
            rc = add_rule(ret, conf_group(c, i), &group, err);
            conf_clear(&group);
        }
    }
    if (rc != 0) {
        policy_rules_clear(ret);
    }
    return rc;
}

/* Beside the socket that recorders know; "" when that has no path. */
static void published_path(const struct writer *w, char *ret, size_t size)
{
    struct sockaddr_un a;
    socklen_t len = sizeof a;
    char *slash;

    memset(&a, 0, sizeof a);
    ret[0] = '\0';
    if (w->private || w->config->listen_fd < 0 ||
        getsockname(w->config->listen_fd, (struct sockaddr *)&a, &len) != 0 ||
        a.sun_family != AF_UNIX || a.sun_path[0] != '/') {
        return;
    }
    slash = strrchr(a.sun_path, '/');
    (void)snprintf(ret, size, "%.*s/" PUBLISHED, (int)(slash - a.sun_path), a.sun_path);
}

static void publish(struct writer *w)
{
    char path[sizeof((struct sockaddr_un *)0)->sun_path + sizeof PUBLISHED + 1];
    struct error err = {.kind = ERR_NONE};
    struct buf out;

    published_path(w, path, sizeof path);
    if (path[0] == '\0') {
        return;
    }
    buf_init(&out, POLICY_RULES_BYTES);
    if (policy_rules_put(&out, &w->rules, &err) != 0 ||
        io_replace_file(AT_FDCWD, path, 0640, buf_data(&out), out.len, &err) != 0) {
        log_line(LOG_LEVEL_ERROR, "policy-not-published path=\"%s\" why=\"%s\"", path, err.text);
    }
    buf_clear(&out);
}

/* All groups that stand in the rules: of these it is asked who is in them. */
static int name_groups(struct writer *w, struct error *err)
{
    struct buf b;
    int rc = 0;

    buf_init(&b, POLICY_RULES_BYTES);
    for (size_t i = 1; rc == 0 && i < w->rules.n; i++) {
        rc = buf_printf(&b, err, "%s ", w->rules.list[i].group);
    }
    for (const char *p = w->rules.break_glass; rc == 0 && *p != '\0'; p++) {
        rc = buf_append(&b, *p == ',' ? " " : p, 1, err);
    }
    rc =
        rc == 0 && buf_text(&b, err) != NULL ? names_groups(w->names, buf_text(&b, NULL), err) : -1;
    buf_clear(&b);
    return rc;
}

static int take_rules(struct writer *w, struct policy_rules *fresh, struct error *err)
{
    policy_rules_clear(&w->rules);
    w->rules = *fresh;
    return name_groups(w, err);
}

int rules_load(struct writer *w, struct error *err)
{
    struct policy_rules fresh;

    if (rules_make(w->conf, &fresh, err) != 0 || take_rules(w, &fresh, err) != 0) {
        return -1;
    }
    publish(w);
    return 0;
}

int rules_load_published(struct writer *w, struct error *err)
{
    char path[sizeof((struct sockaddr_un *)0)->sun_path + sizeof PUBLISHED + 1];
    struct policy_rules last;
    struct buf b;
    int rc = -1;

    published_path(w, path, sizeof path);
    buf_init(&b, POLICY_RULES_BYTES);
    if (path[0] != '\0' && io_read_file(AT_FDCWD, path, POLICY_RULES_BYTES, &b, NULL) == 0 &&
        policy_rules_parse(buf_data(&b), b.len, &last, NULL) == 0) {
        rc = take_rules(w, &last, err);
        log_line(LOG_LEVEL_ERROR, "policy-kept path=\"%s\"", path);
    }
    buf_clear(&b);
    return rc == 0 ? 0 : rules_load(w, err);
}

/* NSS is asked only when an answer could matter. */
static bool matters(const struct writer *w)
{
    return !w->private || w->rules.n > 1 || w->rules.break_glass[0] != '\0';
}

bool rules_ready(struct writer *w, struct peer *p)
{
    p->naming = matters(w) && !names_ready(w->names, p->uid);
    w->naming = w->naming || p->naming;
    return !p->naming;
}

struct asked {
    const struct writer *w;
    uid_t uid;
};

static bool is_member(void *user, const char *group)
{
    const struct asked *a = user;

    return names_member(a->w->names, a->uid, group);
}

void rules_find(const struct writer *w, uid_t uid, const char *way, struct policy *ret)
{
    struct asked a = {.w = w, .uid = uid};

    policy_rules_find(&w->rules, uid, policy_way(way), is_member, &a, ret);
}
