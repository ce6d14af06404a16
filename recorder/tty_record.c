/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/tty_record.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- what redaction decides ---- */

static void on_input(void *user, uint64_t t_us, const uint8_t *bytes, size_t len)
{
    struct tty *t = user;

    if (t->record_input) {
        (void)tokens_put(&t->typed, t_us, bytes, len);
    }
}

static void on_output(void *user, uint64_t t_us, const uint8_t *bytes, size_t len)
{
    struct tty *t = user;

    uint64_t seq = tokens_put(&t->shown, t_us, bytes, len);

    t->out_seq = seq != 0 ? seq : t->out_seq;
}

static void on_mark(void *user, uint64_t start_us, uint64_t end_us, const char *what,
                    const char *reader)
{
    struct tty *t = user;

    /* Without an input track there is nothing that a mark would stand for. */
    if (!t->record_input) {
        return;
    }
    /* Cut to milliseconds, as times of lines are: the mark is never later than its own line. */
    link_text(t->link, 'm', start_us, "%s, %llu.%03llu-%llu.%03llu%s%s", what,
              (unsigned long long)(start_us / 1000000U),
              (unsigned long long)(start_us / 1000U % 1000U),
              (unsigned long long)(end_us / 1000000U), (unsigned long long)(end_us / 1000U % 1000U),
              reader[0] != '\0' ? ", reader " : "", reader);
}

static void on_pending(void *user, uint64_t t_us, bool at_once)
{
    struct tty *t = user;

    if (!t->record_input) {
        return;
    }
    link_pending(t->link, t_us == REDACT_NO_PENDING ? CLIENT_NO_PENDING : t_us, at_once);
}

/* The name of the pty's foreground process, as far as it is plain. */
static void on_reader(void *user, char ret[REDACT_READER])
{
    const struct tty *t = user;
    char path[40], raw[REDACT_READER];
    ssize_t n = 0;
    pid_t group = tcgetpgrp(t->pty->master);
    int fd;

    ret[0] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)group);
    fd = group > 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd >= 0) {
        n = read(fd, raw, sizeof raw - 1);
        close(fd);
    }
    for (ssize_t i = 0; i < n && raw[i] != '\n'; i++) {
        unsigned char c = (unsigned char)raw[i];

        ret[i] = isalnum(c) || c == '-' || c == '_' || c == '.' ? (char)c : '?';
        ret[i + 1] = '\0';
    }
}

static enum redact_policy policy_of(const struct policy *policy)
{
    switch (policy->redact) {
    case POLICY_REDACT_OFF:
        return REDACT_OFF;
    case POLICY_REDACT_STRICT:
        return REDACT_STRICT;
    case POLICY_REDACT_BALANCED:
    default:
        return REDACT_BALANCED;
    }
}

int tty_record_open(struct tty *t, struct error *err)
{
    const struct policy *policy = &t->link->policy;
    struct redact_config config = {
        .policy = policy_of(policy),
        .blind_redact = policy->blind == POLICY_BLIND_REDACT,
        .mask_hide = policy->mask_hide,
        .hold_max_kib = policy->hold_max_kib,
        .hold_max_s = policy->hold_max_s,
        .typeahead_hold_s = policy->typeahead_hold_s,
        .max_no_echo = policy->max_no_echo,
        .prompt_patterns = policy->prompt_patterns,
        .rows = t->size.ws_row,
        .cols = t->size.ws_col,
    };
    struct redact_sink sink = {t, on_input, on_output, on_mark, on_pending, on_reader};

    t->judges = config.policy != REDACT_OFF;
    tokens_open(&t->typed, t->link, 'i', t->judges && policy->tokens);
    tokens_open(&t->shown, t->link, 'o', t->judges && policy->tokens);
    tokens_resize(&t->shown, t->size.ws_col);
    if (redact_new(&t->redact, &config, &sink, err) != 0) {
        return -1;
    }
    if (!redact_locked(t->redact)) {
        link_text(t->link, 'm', link_now(t->link), "flag memory-not-locked");
    }
    return 0;
}

/* ---- what redaction asks ---- */

/* Bytes of whole lines that wait for a reader (FIONREAD, on the slave's side: ioctl_tty(2)). */
static int unread(int master)
{
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    int n = -1;

    if (slave >= 0) {
        if (ioctl(slave, FIONREAD, &n) != 0) {
            n = -1;
        }
        close(slave);
    }
    return n;
}

void tty_record_state(struct tty *t, struct redact_tty *ret)
{
    struct termios now;

    *ret = (struct redact_tty){.unread = -1};
    if (!t->judges) {
        return;
    }
    if (tcgetattr(t->pty->master, &now) == 0) {
        ret->lflag = now.c_lflag;
    }
    ret->job = tcgetpgrp(t->pty->master);
    ret->foreign = ret->job > 0 && ret->job != t->own_job;
    if (redact_wants_tty(t->redact)) {
        ret->unread = unread(t->pty->master);
    }
}

uint64_t tty_record_output(struct tty *t, const uint8_t *bytes, size_t len)
{
    struct redact_tty state, *known = NULL;

    if (t->judges && redact_wants_tty(t->redact)) {
        tty_record_state(t, &state);
        known = &state;
    }
    t->out_seq = 0;
    redact_output(t->redact, bytes, len, known, link_now(t->link));
    return t->out_seq;
}

void tty_record_tick(struct tty *t)
{
    struct redact_tty state, *known = NULL;

    if (t->judges && redact_wants_tty(t->redact)) {
        tty_record_state(t, &state);
        known = &state;
    }
    redact_tick(t->redact, known, link_now(t->link));
    tokens_tick(&t->typed, link_now(t->link));
    tokens_tick(&t->shown, link_now(t->link));
}

uint64_t tty_record_deadline(const struct tty *t)
{
    uint64_t due = redact_deadline(t->redact), typed = tokens_deadline(&t->typed);
    uint64_t shown = tokens_deadline(&t->shown);

    due = due == REDACT_NO_PENDING ? UINT64_MAX : due;
    due = typed < due ? typed : due;
    return shown < due ? shown : due;
}

void tty_record_end(struct tty *t)
{
    redact_end(t->redact, link_now(t->link));
    tokens_flush(&t->typed);
    tokens_flush(&t->shown);
}

void tty_record_close(struct tty *t)
{
    redact_free(t->redact);
    tokens_close(&t->typed);
    tokens_close(&t->shown);
}
