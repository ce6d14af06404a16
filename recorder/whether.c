/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a login is to be recorded here, before its first instruction. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "recorder/recorder_impl.h"
#include "recorder/way.h"

#define END_MS 2000 /* how long a session that will not be waits for its end */

/* Pseudoterminals alone: another kind of file may belong to a file system that never answers. */
static bool is_pts(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) >= WAY_PTS_FIRST &&
           major(st.st_rdev) <= WAY_PTS_LAST;
}

void recorder_ask_nested(struct recorder *r, struct error *why)
{
    const struct recorder_config *config = r->config;
    bool tty = r->is_tty[0];

    if (!config->login || r->lost || (tty && !is_pts(0)) ||
        (!tty && (config->entered || config->depth == 0))) {
        return;
    }
    /* CORRUPT: a writer that does not know the question. */
    if (client_nested(r->client, tty ? 0 : -1, OPEN_TIMEOUT_MS, &r->nested, &r->policy, why) != 0) {
        r->lost = why->kind != ERR_CORRUPT;
    }
}

static int refuse_depth(struct recorder *r, struct error *err)
{
    unsigned depth = r->config->depth;
    char text[64];

    if (!r->lost) {
        (void)snprintf(text, sizeof text, "refused: %u recorders above each other", depth);
        (void)client_event(r->client, 'm', 0, text, strlen(text), NULL, NULL);
        (void)client_event(r->client, 'x', 0, "exit 125", 8, NULL, NULL);
        (void)client_finish(r->client, END_MS, NULL);
    }
    return err_set(err, ERR_DENIED, "%u recorders above each other", depth);
}

int recorder_apply_policy(struct recorder *r, struct error *err)
{
    const struct recorder_config *config = r->config;

    if (!config->login) {
        return 0;
    }
    if (config->may_run != NULL && r->policy.shell[0] != '\0' && config->may_run(r->policy.shell)) {
        r->shell = r->policy.shell;
    }
    if (r->nested) {
        return 1;
    }
    if (config->depth >= r->policy.max_depth) {
        return refuse_depth(r, err);
    }
    if (r->policy.record) {
        return 0;
    }
    /* The row stands for it; nothing else is said to the writer. */
    if (!r->lost) {
        (void)client_finish(r->client, END_MS, NULL);
    }
    return 1;
}
