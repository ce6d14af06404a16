/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/without.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/wire/policy_rules.h"

#define PUBLISHED "/run/ttytrail/policy"
#define TRY_MS    500
#define OPEN_MS   10000

/* On a line of its own, in raw mode and out of it; a terminal that takes nothing does without. */
static bool tell(void *user, const char *line)
{
    const struct without *w = user;
    struct pollfd fd = {.fd = w->outer, .events = POLLOUT};
    char text[256];
    int n = snprintf(text, sizeof text, "\r\nttytrail: %s\r\n", line);

    if (w->outer < 0 || n <= 0 || n >= (int)sizeof text) {
        return true;
    }
    if (poll(&fd, 1, 0) != 1 || (fd.revents & POLLOUT) == 0) {
        return false;
    }
    (void)!write(w->outer, text, (size_t)n);
    return true;
}

/* Root of the host, not of a user namespace that anybody can make: there the root directory is
 * nobody's. */
static bool is_root(void)
{
    struct stat st;

    return getuid() == 0 && stat("/", &st) == 0 && st.st_uid == 0;
}

void without_begin(struct without *w, struct client *client, int outer, const struct buf *facts,
                   const char *ring_dir)
{
    /* The user's own writer and database: nobody is locked out of the host there. */
    bool root = ring_dir != NULL && is_root();

    w->client = client;
    w->outer = outer;
    w->means = (struct link_means){.ring_dir = ring_dir,
                                   .facts = facts,
                                   .root = root,
                                   .insider = root,
                                   .tell = tell,
                                   .tell_user = w};
}

/* Only what the writer published: a file of its group's that nobody but its owner, who is not the
 * recorded user, may write. */
static int read_published(struct buf *out)
{
    int fd = open(PUBLISHED, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), rc = -1;
    struct stat st;
    uint8_t *to;
    ssize_t n;

    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
        (st.st_uid == 0 || (st.st_uid != getuid() && st.st_gid == getegid()) || getuid() == 0) &&
        st.st_size > 0 && st.st_size <= (off_t)POLICY_RULES_BYTES &&
        buf_reserve(out, (size_t)st.st_size, &to, NULL) == 0) {
        n = pread(fd, to, (size_t)st.st_size, 0);
        rc = n == st.st_size ? 0 : -1;
        buf_commit(out, n > 0 ? (size_t)n : 0);
    }
    close(fd);
    return rc;
}

bool without_published(const struct buf *bytes, struct policy *policy)
{
    struct policy_user user = {.gids = NULL};
    struct policy_rules rules;
    struct facts facts;
    char way[32];
    struct buf b;
    bool ok;

    buf_init(&b, POLICY_RULES_BYTES);
    ok = read_published(&b) == 0 && facts_parse(buf_data(bytes), bytes->len, &facts, NULL) == 0 &&
         policy_rules_parse(buf_data(&b), b.len, &rules, NULL) == 0;
    if (ok) {
        (void)policy_user_open(&user, getuid(), NULL);
        policy_rules_find(&rules, getuid(),
                          policy_way(facts_text(&facts, "way_in", way, sizeof way)),
                          policy_user_member, &user, policy);
        policy_user_close(&user);
        policy_rules_clear(&rules);
    }
    buf_clear(&b);
    return ok;
}

static void find_policy(struct without *w, struct policy *policy)
{
    if (!client_full_policy(w->client, policy) && !without_published(w->means.facts, policy)) {
        policy_defaults(policy);
    }
    w->means.insider = w->means.root || policy->break_glass;
}

/* Whether the user has gone, or asks to end. */
static bool given_up(const struct without *w, const struct signals *signals, int ms)
{
    /* Of a command without a terminal its output tells that whoever asked for it has gone. */
    struct pollfd fds[2] = {{.fd = signals->fd, .events = POLLIN},
                            {.fd = w->outer >= 0 ? w->outer : STDOUT_FILENO}};
    int sig;

    (void)poll(fds, 2, ms);
    while ((sig = signals_next(signals)) != 0) {
        if (signals_ends(sig)) {
            return true;
        }
    }
    return (fds[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* `block`: nothing runs before somebody records it. */
static int wait_for_writer(struct without *w, const struct signals *signals, struct policy *policy,
                           struct error *err)
{
    (void)tell(w, "there is no recording at the moment: this session begins when there is one");
    for (;;) {
        struct error why;

        if (given_up(w, signals, TRY_MS)) {
            return err_set(err, ERR_RETRY, "%s", w->why);
        }
        if (client_open(w->client, w->means.facts, OPEN_MS, policy, &why) == 0) {
            w->means.insider = w->means.root || policy->break_glass;
            return 0;
        }
        (void)snprintf(w->why, sizeof w->why, "%.150s", why.text);
        client_drop(w->client);
    }
}

int without_open(struct without *w, const struct signals *signals, struct policy *policy,
                 bool *ret_lost, const struct error *why, struct error *err)
{
    bool refused;

    (void)snprintf(w->why, sizeof w->why, "%.150s", why->text);
    w->full = client_full(w->client);
    find_policy(w, policy);
    w->way = link_way(policy, &w->means, w->full);
    /* A writer that is there and refuses means it, but not for those who repair it. */
    refused = !w->full && (why->kind == ERR_DENIED || why->kind == ERR_CORRUPT ||
                           why->kind == ERR_USAGE || why->kind == ERR_LIMIT);
    if (refused) {
        w->way = w->means.insider ? LINK_RING : LINK_END;
    }
    if (!policy->record) {
        w->way = LINK_UNRECORDED;
    }
    if (w->way == LINK_WAIT) {
        *ret_lost = false;
        return wait_for_writer(w, signals, policy, err);
    }
    *ret_lost = true;
    if (w->way == LINK_END) {
        *err = *why;
        return -1;
    }
    return 0;
}
