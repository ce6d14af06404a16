/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/recorder_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "recorder/inplace.h"
#include "recorder/outer.h"
#include "recorder/relay.h"
#include "recorder/session.h"

/* ---- before anything is opened ---- */

/* A closed descriptor 0, 1 or 2 would be the number of the next socket or pty, and the child would
 * write into it. */
static int look_at_descriptors(struct recorder *r, struct error *err)
{
    r->outer = -1;
    for (int i = 0; i < 3; i++) {
        r->closed[i] = fcntl(i, F_GETFD) < 0;
        if (r->closed[i] && open("/dev/null", O_RDWR | O_CLOEXEC) != i) {
            return err_sys(err, "open /dev/null");
        }
        r->is_tty[i] = !r->closed[i] && isatty(i) == 1;
        if (r->is_tty[i] && r->outer < 0) {
            r->outer = i;
        }
    }
    return 0;
}

static void harden(struct recorder *r)
{
    limits_raise(&r->limits);
    if (r->config->login) {
        limits_stop_timers();
        limits_reap(&r->limits); /* to be named at the session's end */
    }
    /* Once: every change of the effective gid would reset it (PITFALLS 6). */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* ---- opening ---- */

static enum session_kind kind_of(const struct recorder *r)
{
    if (r->outer < 0) {
        return SESSION_STREAM;
    }
    for (int i = 0; i < 3; i++) {
        if (!r->is_tty[i] && !r->closed[i]) {
            return SESSION_MIXED;
        }
    }
    return SESSION_TTY;
}

/* Hands out the connection that was begun ahead, the first time. */
static int connect_writer(void *user, struct error *err)
{
    struct recorder *r = user;
    int fd = r->ahead;

    r->ahead = -1;
    return fd >= 0 ? fd : r->config->connect(r->config->connect_user, err);
}

/* Who is not recorded gets his shell in our place, which cannot be given the keys that we read. */
static bool is_let_alone(const struct recorder *r)
{
    struct policy policy;

    return without_published(&r->facts, &policy) && !policy.record;
}

/* A private writer takes longer to start than anything else here: it comes before all of it. */
static int begin_session(struct recorder *r, struct error *why, struct error *err)
{
    r->ahead = r->config->connect(r->config->connect_user, why);
    r->lost = r->ahead < 0;
    if (session_facts(&r->facts, r->config, kind_of(r), r->outer, &r->term.size, err) != 0 ||
        client_new(&r->client, connect_writer, r, err) != 0) {
        return -1;
    }
    recorder_ask_nested(r, why);
    return 0;
}

/* A login offers its terminal: from there on every key has to be fetched before the hang-up takes
 * it, so that nothing that takes long may lie between this and outer_wait. */
static void send_opening(struct recorder *r, struct error *why)
{
    if (!r->lost && r->config->login && r->outer >= 0 && !is_let_alone(r)) {
        outer_offer(&r->term, r->client);
    }
    r->lost = r->lost || client_open_start(r->client, &r->facts, why) != 0;
}

static int open_pipes(struct recorder *r, struct error *err)
{
    for (int i = 0; i < 3; i++) {
        int pair[2];

        if (r->is_tty[i] || r->closed[i]) {
            continue;
        }
        if (pipe2(pair, O_CLOEXEC) != 0) {
            return err_sys(err, "pipe");
        }
        r->ends[i] = pair[i == 0 ? 1 : 0];
        r->theirs[i] = pair[i == 0 ? 0 : 1];
        if (fcntl(r->ends[i], F_SETFL, O_NONBLOCK) != 0) {
            return err_sys(err, "pipe");
        }
    }
    return 0;
}

static int start_child(struct recorder *r, struct error *err)
{
    const struct recorder_config *config = r->config;
    struct child_config c = {
        .argv = config->argv,
        .path = config->path != NULL ? config->path : config->argv[0],
        .shell = config->child_shell,
        .tty = -1,
        .new_session = config->login,
        .drop_group = config->drop_group,
        .mask = &r->signals.mask,
        .ignore_chld = r->signals.chld.sa_handler == SIG_IGN,
        .ignore_xfsz = r->signals.xfsz.sa_handler == SIG_IGN,
        .limits = &r->limits,
    };

    if (r->outer >= 0) {
        if (pty_open(&r->pty, &r->term.saved, &r->term.size, err) != 0) {
            return -1;
        }
        c.tty = r->pty.slave;
    }
    if (open_pipes(r, err) != 0) {
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        c.fds[i] = r->closed[i] ? CHILD_CLOSED : r->is_tty[i] ? r->pty.slave : r->theirs[i];
    }
    if (child_start(&r->child, &c, err) != 0) {
        return -1;
    }
    pty_close_slave(&r->pty);
    for (int i = 0; i < 3; i++) {
        if (r->theirs[i] >= 0) {
            close(r->theirs[i]);
            r->theirs[i] = -1;
        }
    }
    return 0;
}

/* Our own descriptor is moved away, so that closing it is felt at its other end; 2 is only copied,
 * since our messages go there. */
static int lift(int fd, struct error *err)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3), null;

    if (moved < 0) {
        return err_sys(err, "descriptor");
    }
    null = fd < 2 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    if (null >= 0) {
        (void)dup3(null, fd, O_CLOEXEC);
        close(null);
    }
    return moved;
}

static int open_streams(struct recorder *r, struct error *err)
{
    static const char kinds[] = {'i', 'o', 'e'};

    for (int i = 0; i < 3; i++) {
        int ours, end = r->ends[i];

        if (end < 0) {
            continue;
        }
        ours = lift(i, err);
        if (ours < 0) {
            return -1;
        }
        r->ends[i] = -1;
        r->streaming[i] = true;
        if (stream_open(&r->streams[i], kinds[i], i == 0 ? ours : end, i == 0 ? end : ours,
                        &r->link, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The session is open: everything between its policy and the child's first instruction. */
static int set_going(struct recorder *r, struct error *err)
{
    const struct recorder_config *config = r->config;
    bool input = config->input < 0 ? r->policy.input : config->input > 0;

    if (!r->lost) {
        link_begin(&r->link, r->client, &r->policy, &r->without.means);
    } else if (link_begin_away(&r->link, r->client, &r->policy, &r->without.means, r->without.way,
                               r->without.full, r->without.why, err) != 0) {
        return -1;
    }
    if (r->policy.redact == POLICY_REDACT_OFF) {
        link_text(&r->link, 'm', link_now(&r->link), "flag not-redacted");
    }
    /* TIOCEXCL keeps others from opening it from now on, not those who have it open already. */
    if (config->login && r->outer >= 0 && !r->fresh) {
        link_text(&r->link, 'm', link_now(&r->link), "flag outer-tty-shared");
    }
    if (r->shell != NULL) {
        link_text(&r->link, 'm', link_now(&r->link), "shell %s", r->shell);
    }
    if (config->on_open != NULL && !r->lost) {
        config->on_open(config->on_open_user, client_session(r->client));
    }
    if (r->outer >= 0 && r->policy.notice[0] != '\0') {
        (void)io_write_all(r->outer, r->policy.notice, strlen(r->policy.notice), err);
        (void)io_write_all(r->outer, "\n", 1, err);
    }
    if (open_streams(r, err) != 0) {
        return -1;
    }
    if (r->outer >= 0) {
        if (tty_open(&r->tty, &r->term, &r->pty, &r->link, r->child.pid, input, err) != 0) {
            return -1;
        }
        r->tty_open = true;
        if (term_raw(&r->term, err) != 0) {
            return -1;
        }
        /* A size that came while it was hung up sent us no signal. */
        tty_resized(&r->tty);
        if (config->login) {
            /* Before anything within can ask whether it is. */
            client_inner(r->client, r->pty.master);
            link_send(&r->link);
        }
    }
    return 0;
}

static int release_child(struct recorder *r, struct error *err)
{
    struct error ignored;

    if (child_release(&r->child, r->shell, r->config->argv[0], err) == 0) {
        return 0;
    }
    link_text(&r->link, 'm', link_now(&r->link), "exec failed: %.200s", strerror(err->code));
    link_text(&r->link, 'x', link_now(&r->link), "exit %d", recorder_refusal(err));
    (void)link_finish(&r->link, 2000, &ignored);
    return -1;
}

static int relay(struct recorder *r, struct recorder_result *ret, struct error *err)
{
    struct relay relay = {
        .link = &r->link,
        .signals = &r->signals,
        .tty = r->tty_open ? &r->tty : NULL,
        .child = r->child.pid,
        .name_left = r->config->login,
    };
    int rc;

    for (int i = 0; i < 3; i++) {
        relay.streams[i] = r->streaming[i] ? &r->streams[i] : NULL;
    }
    rc = relay_run(&relay, err);
    /* A wait status of a number below 127 is that signal (wait(2)). */
    ret->wait_status = relay.ended_by != 0 ? relay.ended_by : relay.reaped ? relay.status : SIGHUP;
    return relay.ended_by != 0 || relay.hung_up ? 0 : rc;
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* Twice does nothing. */
static void close_all(struct recorder *r)
{
    child_abandon(&r->child);
    if (r->tty_open) {
        tty_close(&r->tty);
    }
    for (int i = 0; i < 3; i++) {
        if (r->streaming[i]) {
            stream_close(&r->streams[i]);
        }
        close_one(&r->ends[i]);
        close_one(&r->theirs[i]);
        r->streaming[i] = false;
    }
    r->tty_open = false;
    term_close(&r->term);
    pty_close(&r->pty);
    close_one(&r->ahead);
    link_close(&r->link);
    client_free(r->client);
    r->client = NULL;
    buf_clear(&r->facts);
    signals_close(&r->signals);
}

/* The writer answers, or the policy says how to do without it. */
static int open_session(struct recorder *r, struct error *err)
{
    struct error why = {.kind = ERR_NONE};

    /* The writer first: while it starts, or, without a login's terminal, answers, the child is
     * prepared. */
    if (begin_session(r, &why, err) != 0) {
        return -1;
    }
    if (r->nested) {
        return 0;
    }
    if (!r->config->login) {
        send_opening(r, &why);
    }
    if (start_child(r, err) != 0) {
        return -1;
    }
    if (r->config->login) {
        send_opening(r, &why);
    }
    outer_wait(&r->term, r->client, OPEN_TIMEOUT_MS);
    r->lost = r->lost || client_open_ready(r->client, OPEN_TIMEOUT_MS, &r->policy, &why) != 0;
    /* The recording can stand: the command may start while the session is opened.  What it prints
     * waits for its commit in any case. */
    if (!r->config->login && !r->lost) {
        child_go(&r->child, NULL);
    }
    r->lost = r->lost || client_open_finish(r->client, OPEN_TIMEOUT_MS, &r->policy, &why) != 0;
    /* Also after an opening that failed: ours may be dead. */
    r->fresh = outer_take(&r->term, r->client, r->is_tty);
    without_begin(&r->without, r->client, r->outer, &r->facts, r->config->ring_dir);
    if (!r->lost) {
        r->without.means.insider = r->without.means.root || r->policy.break_glass;
        return 0;
    }
    if (!r->config->login) {
        *err = why;
        return -1;
    }
    return without_open(&r->without, &r->signals, &r->policy, &r->lost, &why, err);
}

/* With the terminal, the signals and the child's remains out of the way. */
static int run_in_place(struct recorder *r, struct error *err)
{
    close_all(r);
    return inplace_exec(r->config, r->shell, &r->limits, err);
}

static int record(struct recorder *r, struct recorder_result *ret, struct error *err)
{
    int rc = open_session(r, err) != 0 ? -1 : recorder_apply_policy(r, err);

    if (rc != 0) {
        return rc > 0 ? run_in_place(r, err) : -1;
    }
    memcpy(ret->session, client_session(r->client), sizeof ret->session);
    if (set_going(r, err) != 0 || release_child(r, err) != 0) {
        return -1;
    }
    return relay(r, ret, err);
}

int recorder_run(const struct recorder_config *config, struct recorder_result *ret,
                 struct error *err)
{
    struct recorder *r = calloc(1, sizeof *r);
    int rc = -1;

    if (r == NULL) {
        return err_sys(err, "allocate");
    }
    r->config = config;
    r->ends[0] = r->ends[1] = r->ends[2] = -1;
    r->theirs[0] = r->theirs[1] = r->theirs[2] = -1;
    r->signals.fd = r->term.fd = r->pty.master = r->pty.slave = r->ahead = -1;
    r->child = (struct child){-1, -1, false};
    buf_init(&r->facts, FACTS_MAX);
    harden(r);
    if (look_at_descriptors(r, err) != 0) {
        goto out;
    }
    if (signals_open(&r->signals, err) != 0 ||
        (r->outer >= 0 && term_open(&r->term, r->outer, err) != 0)) {
        goto out;
    }
    if (config->login && r->outer >= 0) {
        term_exclusive(&r->term);
    }
    rc = record(r, ret, err);
out:
    close_all(r);
    free(r);
    return rc;
}

int recorder_refusal(const struct error *err)
{
    if (err->kind == ERR_USAGE && err->code == ENOENT) {
        return 127;
    }
    return err->kind == ERR_USAGE && err->code != 0 ? 126 : 125;
}

_Noreturn void recorder_exit(int wait_status)
{
    struct rlimit none = {0, 0};
    sigset_t set;
    int sig;

    if (WIFEXITED(wait_status)) {
        exit(WEXITSTATUS(wait_status));
    }
    sig = WTERMSIG(wait_status);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(sig, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, sig);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(sig);
    exit(128 + sig);
}
