/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations that a table holds, played through the core of redaction: what is typed and shown
 * when, under which modes; what then stands in the record, and which marks.
 */
#ifndef TTYTRAIL_TESTS_UNIT_REDACT_RIG_H
#define TTYTRAIL_TESTS_UNIT_REDACT_RIG_H

#include "check.h"
#include "recorder/redact.h"

#define N (ICANON | ISIG)        /* canonical, no echo */
#define E (ICANON | ECHO | ISIG) /* canonical, echo */
#define R (ISIG)                 /* raw */
#define M (ICANON)               /* as mysql asks: no signals either */

#define STEPS 40
#define JOB   42

/* At ${ms} the user types or, where ${typed} is NULL, a program shows something. */
struct step {
    unsigned ms;
    const char *typed, *shown;
    tcflag_t before, after;
    bool read; /* nothing of what was typed waits for its reader */
};

#define TYPE(ms, text, lflag)                                                                      \
    {                                                                                              \
        ms, text, NULL, lflag, lflag, false                                                        \
    }
#define SHOW(ms, text)                                                                             \
    {                                                                                              \
        ms, NULL, text, 0, 0, false                                                                \
    }
/* ... while the pty's modes are ${lflag}, and everything typed has been read. */
#define ANSWER(ms, text, lflag)                                                                    \
    {                                                                                              \
        ms, NULL, text, lflag, lflag, true                                                         \
    }

struct log {
    char input[2048], output[4096], marks[1024];
    uint64_t now, pending;
    bool off;              /* nothing is judged */
    bool told;             /* ... of keys that are about to be written */
    struct redact_tty tty; /* as of the newest step */
};

static void add(char *to, size_t size, const void *bytes, size_t len)
{
    size_t n = strlen(to);

    assert_true(n + len < size);
    memcpy(to + n, bytes, len);
    to[n + len] = '\0';
}

static void on_input(void *user, uint64_t t, const uint8_t *bytes, size_t len)
{
    struct log *log = user;

    assert_true(t <= log->now);
    /* Nothing is released that the watermark does not cover. */
    assert_true(log->off || log->pending <= t);
    add(log->input, sizeof log->input, bytes, len);
}

static void on_output(void *user, uint64_t t, const uint8_t *bytes, size_t len)
{
    struct log *log = user;

    assert_true(t <= log->now);
    add(log->output, sizeof log->output, bytes, len);
}

static void on_mark(void *user, uint64_t start, uint64_t end, const char *what, const char *reader)
{
    struct log *log = user;
    char word[120];
    int n = snprintf(word, sizeof word, "%s%s %u-%u", log->marks[0] != '\0' ? "; " : "", what,
                     (unsigned)(start / 1000), (unsigned)(end / 1000));

    assert_true(start <= end && end <= log->now);
    assert_true(reader[0] == '\0' || strcmp(reader, "program") == 0);
    add(log->marks, sizeof log->marks, word, (size_t)n);
}

static void on_pending(void *user, uint64_t t, bool at_once)
{
    struct log *log = user;

    assert_true(log->pending != t);
    assert_true(t == REDACT_NO_PENDING || t <= log->now);
    log->pending = t;
    log->told = log->told || at_once;
}

static void on_reader(void *user, char ret[REDACT_READER])
{
    (void)user;
    (void)snprintf(ret, REDACT_READER, "program");
}

static const struct redact_config standard = {
    .policy = REDACT_BALANCED,
    .mask_hide = true,
    .hold_max_kib = 64,
    .hold_max_s = 30,
    .typeahead_hold_s = 2,
    .max_no_echo = 512,
    .prompt_patterns = "",
    .rows = 24,
    .cols = 80,
};

static struct redact_tty tty_of(tcflag_t lflag)
{
    return (struct redact_tty){.lflag = lflag, .job = JOB, .foreign = true, .unread = -1};
}

static struct redact *open_with(struct log *log, const struct redact_config *config)
{
    struct redact_sink sink = {log, on_input, on_output, on_mark, on_pending, on_reader};
    struct redact *r;
    struct error err;

    memset(log, 0, sizeof *log);
    log->pending = REDACT_NO_PENDING;
    log->off = config->policy == REDACT_OFF;
    log->tty = tty_of(0);
    MUST(redact_new(&r, config, &sink, &err));
    return r;
}

static void wait_until(struct redact *r, struct log *log, uint64_t us)
{
    uint64_t due;

    while ((due = redact_deadline(r)) <= us) {
        log->now = due > log->now ? due : log->now + 1;
        redact_tick(r, &log->tty, log->now);
    }
    log->now = us;
}

static void type(struct redact *r, struct log *log, const char *bytes, tcflag_t before,
                 tcflag_t after)
{
    uint8_t *to;
    const uint8_t *slice;
    size_t len = strlen(bytes), n;

    assert_true(redact_space(r, &to) >= len);
    memcpy(to, bytes, len);
    redact_typed(r, len, log->now);
    while ((n = redact_next(r, &slice)) > 0) {
        struct redact_tty was = tty_of(before), is = tty_of(after);

        redact_before(r, &was);
        assert_true(log->off || log->pending <= log->now);
        redact_written(r, n, &is, log->now);
    }
}

static void show(struct redact *r, struct log *log, const char *bytes)
{
    redact_output(r, (const uint8_t *)bytes, strlen(bytes), &log->tty, log->now);
}

static void play(struct redact *r, struct log *log, const struct step *steps)
{
    for (const struct step *s = steps; s->typed != NULL || s->shown != NULL; s++) {
        wait_until(r, log, s->ms * 1000U);
        if (s->typed != NULL) {
            type(r, log, s->typed, s->before, s->after);
        } else {
            log->tty = tty_of(s->before);
            log->tty.unread = s->read ? 0 : -1;
            show(r, log, s->shown);
        }
    }
}

struct conversation {
    const char *what;
    struct step steps[STEPS];
    const char *input, *marks, *output; /* output NULL: all that was shown */
};

static void check_output(const struct conversation *c, const struct log *log)
{
    char all[4096] = "";

    for (const struct step *s = c->steps; s->typed != NULL || s->shown != NULL; s++) {
        if (s->shown != NULL) {
            add(all, sizeof all, s->shown, strlen(s->shown));
        }
    }
    assert_string_equal(log->output, c->output != NULL ? c->output : all);
}

static void check(const struct conversation *table, size_t n, const struct redact_config *config)
{
    for (size_t i = 0; i < n; i++) {
        struct log log;
        struct redact *r = open_with(&log, config);

        play(r, &log, table[i].steps);
        wait_until(r, &log, log.now + 60000000U);
        redact_end(r, log.now);
        if (strcmp(log.input, table[i].input) != 0 || strcmp(log.marks, table[i].marks) != 0) {
            print_error("%s\n", table[i].what);
        }
        assert_string_equal(log.input, table[i].input);
        assert_string_equal(log.marks, table[i].marks);
        check_output(&table[i], &log);
        assert_true(log.pending == REDACT_NO_PENDING);
        redact_free(r);
    }
}

#define CHECK(table) check(table, sizeof table / sizeof table[0], &standard)

#endif
