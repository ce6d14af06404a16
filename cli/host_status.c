/* SPDX-License-Identifier: Apache-2.0 */
/* The installed host's rows of `ttytrail status`: whether logins are recorded, and whole. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/host.h"
#include "common/clock.h"
#include "storage/db/reader.h"
#include "storage/wire/control.h"

#define DAY_US INT64_C(86400000000)

static void row_writer(struct status_run *r)
{
    struct control *c = NULL;
    struct error err = {.kind = ERR_NONE};

    if (!host_installed()) {
        return;
    }
    if (control_open(&c, HOST_CONTROL, NULL, &err) != 0) {
        status_say(r, STATUS_CRITICAL, "nobody answers on %s", HOST_CONTROL);
        return;
    }
    control_close(c);
    status_say(r, STATUS_OK, "it listens");
}

static void on_bypass(void *user, const char *text, const char *advice)
{
    (void)advice;
    status_say(user, STATUS_WARNING, "%s", text);
}

/* sshd tells its settings to root alone. */
static void row_ways(struct status_run *r)
{
    struct error err = {.kind = ERR_NONE};
    int n;

    if (!host_installed() || geteuid() != 0) {
        return;
    }
    n = host_bypass(on_bypass, r, &err);
    if (n < 0) {
        status_say(r, STATUS_UNKNOWN, "sshd: %s", err.text);
    } else if (n == 0) {
        status_say(r, STATUS_OK, "no setting of sshd leads past the recorder");
    }
}

/* ---- what is not whole, of the last day ---- */

static const char *const weak[] = {"cut",     "ring",         "ring-lost",   "outer-tty-shared",
                                   "stalled", "clock-jumped", "writer-lost", "disk-full"};
#define WEAK (sizeof weak / sizeof weak[0])

struct flags {
    int64_t since_us, n[WEAK], sessions;
};

static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word)) {
        if ((p == text || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' ')) {
            return true;
        }
    }
    return false;
}

static int on_session(void *user, const struct session_row *s)
{
    struct flags *f = user;
    bool any = false;

    if (s->started_us < f->since_us && s->ended_us < f->since_us && s->state != SESSION_OPEN) {
        return 0;
    }
    for (size_t i = 0; i < WEAK; i++) {
        if (has_word(s->flags, weak[i]) || (i == 0 && s->state == SESSION_CUT)) {
            f->n[i]++;
            any = true;
        }
    }
    f->sessions += any;
    return 0;
}

static void say_flags(struct status_run *r, const struct flags *f)
{
    char text[400] = "";
    size_t len = 0;

    for (size_t i = 0; i < WEAK; i++) {
        if (f->n[i] > 0) {
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %" PRId64,
                                    len > 0 ? ", " : "", weak[i], f->n[i]);
        }
    }
    status_say(r, f->sessions > 0 ? STATUS_WARNING : STATUS_OK,
               f->sessions > 0 ? "%" PRId64 " session%s of the last day not whole: %s"
                               : "no session of the last day is less than whole",
               f->sessions, status_s(f->sessions), text);
}

static void row_whole(struct status_run *r)
{
    struct flags f = {.since_us = r->now_us - DAY_US};
    struct reader *reader = NULL;
    struct error err = {.kind = ERR_NONE};

    if (reader_open(&reader, r->db, &err) != 0) {
        return; /* other rows say so */
    }
    if (reader_sessions(reader, on_session, &f, &err) == 0) {
        say_flags(r, &f);
        r->value(r->user, "not_whole", "", f.sessions, -1, -1);
    } else {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    }
    reader_close(reader);
}

/* ---- logins that the witness saw and no recorder did ---- */

struct logins {
    int64_t since_us, unrecorded, forwards, brief, last_us;
};

static int on_connection(void *user, const struct connection_row *c)
{
    struct logins *l = user;

    if (c->opened_us < l->since_us) {
        return 0;
    }
    if (strcmp(c->class, "unrecorded") == 0) {
        l->unrecorded++;
        l->last_us = c->opened_us;
    }
    l->brief += strcmp(c->class, "none") == 0;
    l->forwards += strcmp(c->class, "forward-only") == 0;
    return 0;
}

static void row_logins(struct status_run *r)
{
    struct logins l = {.since_us = r->now_us - DAY_US};
    struct reader *reader = NULL;
    struct error err = {.kind = ERR_NONE};
    char at[32];
    bool loginuid;

    if (host_installed() && host_pam_witness("sshd", &loginuid) == 0) {
        status_say(r, STATUS_WARNING,
                   "nobody watches: no witness stands in PAM's session stack (ttytrail-login(8))");
        return;
    }
    if (!host_installed() || reader_open(&reader, r->db, &err) != 0) {
        return;
    }
    if (reader_connections(reader, true, on_connection, &l, &err) != 0) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    } else if (l.unrecorded == 0) {
        status_say(r, STATUS_OK,
                   "none of the last day without a recording; %" PRId64 " forwarded only, %" PRId64
                   " over within seconds",
                   l.forwards, l.brief);
    } else {
        clock_format_utc(l.last_us, "%Y-%m-%dT%H:%M:%SZ", at, sizeof at);
        status_say(r, STATUS_WARNING,
                   "%" PRId64
                   " of the last day without a recording, the last at %s: 'ttytrail list' "
                   "has them in the host's journal",
                   l.unrecorded, at);
    }
    r->value(r->user, "unrecorded", "", l.unrecorded, -1, -1);
    reader_close(reader);
}

const struct status_row host_status[] = {
    {"writer", row_writer}, {"ways", row_ways}, {"whole", row_whole},
    {"logins", row_logins}, {NULL, NULL},
};
