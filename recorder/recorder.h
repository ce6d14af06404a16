/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder: runs a command on a pty (or on pipes), relays its bytes, and sends what passes to a
 * writer before the user sees it.  This header is all that its two programs (ttytrail-shell and
 * `ttytrail record`) know of it.  It knows nothing of SQLite, S3 or configuration files.
 */
#ifndef TTYTRAIL_RECORDER_RECORDER_H
#define TTYTRAIL_RECORDER_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "storage/wire/client.h"

struct recorder_config {
    client_connect_fn *connect; /* how to reach the writer, now and again later */
    void *connect_user;
    char *const *argv;        /* the command, found by PATH; argv[0] may differ from path */
    const char *path;         /* what to execute; NULL: argv[0] */
    const char *child_shell;  /* SHELL for the child; NULL: unchanged (PITFALLS 7) */
    const char *title;        /* NULL for none */
    const char *command_json; /* facts: argv as JSON, NULL for a login shell */
    const char *way_in;       /* "record", or as recorder/way.h says */
    unsigned depth;           /* recorders among the ancestors: max_depth of them at most */
    bool entered;             /* by a way in that lies nearer than any of them */
    /* Whether the policy's shell may be run in place of ${path}; NULL: no. */
    bool (*may_run)(const char *shell);
    int input; /* --input: 1 on, 0 off, -1 as the policy says */
    /* Called once the session is open, before the terminal is raw; NULL for nobody. */
    void (*on_open)(void *user, const uint8_t session[16]);
    void *on_open_user;
    const char *ring_dir; /* login: where sessions without a writer go; NULL: nowhere */
    bool login;           /* a login shell: new session, TIOCEXCL, ... (PITFALLS 1, 4) */
    bool drop_group;      /* setgid: the child gets the real gid for good (PITFALLS 6) */
};

struct recorder_result {
    int wait_status; /* of the child, as waitpid(2) gives it */
    uint8_t session[16];
};

/** recorder_run(config, ret, err): Record until the child and its output have ended.  Every exit
 * leaves the terminal as it was.  A login that is not to be recorded, or is already, by the session
 * it was started in, does not return: its shell takes our place (inplace.h).  -1 when nothing was
 * run, or when the recording could not go on and the session was ended for that (see
 * recorder_refusal).  ret->wait_status is our own signal where one ended us. */
int recorder_run(const struct recorder_config *config, struct recorder_result *ret,
                 struct error *err);

/** recorder_refusal(err): The exit status for recorder_run's -1: 127 and 126 for a command that
 * does not exist or cannot be run (err->kind USAGE, err->code errno), else 125. */
int recorder_refusal(const struct error *err);

/** recorder_exit(wait_status): Leave the process as the child left: exit with its status, or die of
 * its signal (core dumps off, default disposition, unblocked).  Does not return. */
_Noreturn void recorder_exit(int wait_status);

#endif
