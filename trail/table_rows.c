/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/table_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/io.h"
#include "common/json_write.h"

/* A row on its way; the first error sticks. */
struct line {
    struct buf *out;
    struct error *err;
    bool comma, failed;
};

static void key(struct line *l, const char *name)
{
    l->failed =
        l->failed || buf_printf(l->out, l->err, "%s\"%s\":", l->comma ? "," : "{", name) != 0;
    l->comma = true;
}

static void text(struct line *l, const char *name, const char *value)
{
    key(l, name);
    l->failed = l->failed || json_string(l->out, value, l->err) != 0;
}

static void number(struct line *l, const char *name, int64_t value)
{
    key(l, name);
    l->failed = l->failed || buf_printf(l->out, l->err, "%" PRId64, value) != 0;
}

static void id(struct line *l, const char *name, const uint8_t *value)
{
    char hex[33] = "";

    text(l, name, value == NULL ? hex : io_hex(value, 16, hex));
}

/* A time twice: as a number, NAME_us, and for people, NAME_at; "" for none. */
static void when(struct line *l, const char *name, int64_t us)
{
    char column[48], at[40] = "";
    time_t s = (time_t)(us / 1000000);
    struct tm tm;

    if (us > 0 && gmtime_r(&s, &tm) != NULL) {
        size_t n = strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &tm);

        (void)snprintf(at + n, sizeof at - n, ".%06dZ", (int)(us % 1000000));
    }
    (void)snprintf(column, sizeof column, "%s_us", name);
    number(l, column, us);
    (void)snprintf(column, sizeof column, "%s_at", name);
    text(l, column, at);
}

static int end(struct line *l)
{
    l->failed = l->failed || buf_putc(l->out, '}', l->err) != 0;
    return l->failed ? -1 : 0;
}

static const char *way_word(enum subject_way w)
{
    static const char *const words[] = {"ssh", "ssm", "ssm-ssh", "serial", "local"};

    return words[w];
}

static void candidates(struct line *l, const struct verdict *v)
{
    key(l, "candidates");
    l->failed = l->failed || buf_putc(l->out, '[', l->err) != 0;
    for (size_t i = 0; i < v->candidates && i < VERDICT_CANDIDATES; i++) {
        struct line c = {.out = l->out, .err = l->err, .failed = l->failed};

        l->failed = l->failed || (i > 0 && buf_putc(l->out, ',', l->err) != 0);
        text(&c, "event", v->candidate[i].event);
        text(&c, "principal", v->candidate[i].principal);
        text(&c, "arn", v->candidate[i].arn);
        number(&c, "time_us", v->candidate[i].time_us);
        text(&c, "address", v->candidate[i].address);
        l->failed = end(&c) != 0 || l->failed;
    }
    l->failed = l->failed || buf_putc(l->out, ']', l->err) != 0;
}

static void sessions(struct line *l, const struct subject *s)
{
    char hex[33];

    key(l, "sessions");
    l->failed = l->failed || buf_putc(l->out, '[', l->err) != 0;
    for (size_t i = 0; i < s->sessions && i < SUBJECT_SESSIONS; i++) {
        l->failed = l->failed || buf_printf(l->out, l->err, "%s\"%s\"", i > 0 ? "," : "",
                                            io_hex(s->session[i], 16, hex)) != 0;
    }
    l->failed = l->failed || buf_putc(l->out, ']', l->err) != 0;
}

static void evidence(struct line *l, const struct verdict *v)
{
    char sha[65], zero[32] = "";

    text(l, "event", v->event);
    text(l, "event_name", v->event_name);
    when(l, "event", v->event_us);
    text(l, "object", v->object);
    text(l, "record_sha256",
         memcmp(v->record_sha256, zero, sizeof zero) == 0 ? "" : io_hex(v->record_sha256, 32, sha));
    text(l, "digest", verdict_digest_word(v->digest));
    text(l, "reasons", v->reasons);
    text(l, "ended_by", v->ended_by);
    candidates(l, v);
}

int rows_verdict(struct buf *out, const struct subject *s, const struct verdict *v,
                 struct error *err)
{
    struct line l = {.out = out, .err = err};

    id(&l, "subject", v->subject);
    number(&l, "revision", v->revision);
    when(&l, "decided", v->decided_us);
    text(&l, "grade", verdict_grade_word(v->grade));
    text(&l, "rule", v->rule);
    text(&l, "way", v->way);
    text(&l, "principal", v->principal);
    text(&l, "role", v->role);
    text(&l, "arn", v->arn);
    text(&l, "person_arn", v->person_arn);
    text(&l, "source_identity", v->source_identity);
    text(&l, "mfa", v->mfa);
    text(&l, "address", v->address);
    evidence(&l, v);
    text(&l, "host", s->host);
    text(&l, "instance", s->instance);
    text(&l, "account", s->account);
    text(&l, "region", s->region);
    text(&l, "os_user", s->os_user);
    text(&l, "came_by", way_word(s->way));
    text(&l, "class", s->class);
    when(&l, "opened", s->opened_us);
    when(&l, "closed", s->closed_us);
    number(&l, "session_count", (int64_t)s->sessions);
    sessions(&l, s);
    return end(&l);
}

int rows_session(struct buf *out, const struct session_row *row, const uint8_t subject[16],
                 struct error *err)
{
    struct line l = {.out = out, .err = err};

    id(&l, "session", row->id);
    id(&l, "subject", subject);
    text(&l, "host", row->host);
    text(&l, "os_user", row->user);
    text(&l, "kind", row->kind);
    text(&l, "title", row->title);
    text(&l, "command", row->command);
    text(&l, "tty", row->tty);
    text(&l, "state", session_state_name(row->state));
    text(&l, "exit", row->exit);
    text(&l, "flags", row->flags);
    when(&l, "began", row->started_us);
    when(&l, "ended", row->ended_us);
    return end(&l);
}

int rows_access(struct buf *out, const struct access_told *a, struct error *err)
{
    struct line l = {.out = out, .err = err};
    const struct trail_event *e = &a->access->event;

    text(&l, "event", e->id);
    text(&l, "event_name", e->name);
    when(&l, "event", e->time_us);
    text(&l, "account", e->account);
    text(&l, "region", e->region);
    text(&l, "principal", a->principal);
    text(&l, "arn", e->who.arn);
    text(&l, "address", e->address);
    text(&l, "instance", e->instance);
    text(&l, "os_user", e->os_user);
    text(&l, "ssm_session", e->session);
    text(&l, "document", e->document);
    text(&l, "object", a->access->object);
    text(&l, "digest", verdict_digest_word(a->access->digest));
    id(&l, "subject", a->subject);
    text(&l, "unrecorded", a->unrecorded);
    text(&l, "note", a->note);
    return end(&l);
}
