/* SPDX-License-Identifier: Apache-2.0 */
/* What ship.db tells.  It is only looked at: a shipper may run meanwhile. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/json.h"
#include "shipper/keyobject.h"
#include "shipper/ship.h"
#include "shipper/state_life.h"
#include "shipper/status.h"

#define HOUR_US      INT64_C(3600000000)
#define DAY_US       (24 * HOUR_US)
#define SKEW_WARN_US INT64_C(60000000)

/* NULL: there is none yet (${ret_none}), or it cannot be read, which is said. */
static struct state *look(struct status_run *r, bool *ret_none)
{
    char state_path[4096], key_path[4096];
    struct error err = {.kind = ERR_NONE};
    struct state *s = NULL;

    *ret_none = false;
    if (ship_paths(r->db, state_path, key_path, sizeof state_path, &err) == 0 &&
        state_look(&s, state_path, &err) == 0) {
        return s;
    }
    *ret_none = err.kind == ERR_SYSTEM && err.code == ENOENT;
    if (!*ret_none) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    }
    return NULL;
}

/* A fact that is a number; 0 when absent. */
static int64_t fact(struct state *s, const char *name)
{
    char text[32];

    return state_fact(s, name, text, sizeof text, NULL, NULL) == 1 ? strtoll(text, NULL, 10) : 0;
}

static int64_t seconds_since(const struct status_run *r, int64_t at_us)
{
    return at_us == 0 || at_us > r->now_us ? 0 : (r->now_us - at_us) / 1000000;
}

/* ---- shipped: when it last went well, and whether the promise of heartbeats is kept ---- */

static void say_promise(struct status_run *r, struct state *s)
{
    int64_t hours = r->conf->heartbeat_h;
    struct error err = {.kind = ERR_NONE};
    struct state_identity id;

    if (state_identity(s, &id, &err) != 0) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    } else if (hours > 0 && id.last_us > 0 && r->conf->ship_to[0] != '\0' &&
               r->now_us - id.last_us > 2 * hours * HOUR_US) {
        status_say(r, STATUS_WARNING,
                   "no manifest for %" PRId64 " s, although one is promised every %" PRId64
                   " h: does ship run?",
                   seconds_since(r, id.last_us), hours);
    }
}

void status_shipped(struct status_run *r)
{
    char text[STATE_TEXT_MAX];
    int64_t success, run_us;
    struct state *s;
    bool none;

    s = look(r, &none);
    if (s == NULL) {
        if (none && access(r->db, F_OK) == 0) {
            status_say(r, STATUS_OK, "nothing was shipped from this database yet");
        }
        return;
    }
    success = fact(s, "success_us");
    run_us = fact(s, "run_us");
    if (state_fact(s, "error", text, sizeof text, NULL, NULL) == 1 && text[0] != '\0') {
        status_say(r, STATUS_WARNING, "the last run, %" PRId64 " s ago, failed: %s",
                   seconds_since(r, run_us), text);
    }
    if (success > 0) {
        status_say(r, STATUS_OK, "the last run that went well was %" PRId64 " s ago",
                   seconds_since(r, success));
        r->value(r->user, "success_age", "s", seconds_since(r, success), -1, -1);
    } else {
        status_say(r, status_any_waits(r) ? STATUS_WARNING : STATUS_OK,
                   "no run is known to have gone well");
    }
    say_promise(r, s);
    state_close(s);
}

/* ---- batches: frozen, and set aside ---- */

struct reasons {
    struct status_run *run;
    int64_t since_us;
    const char *kind;
    enum status_level level;
    int64_t n;
};

static int say_event(void *user, const struct state_event *e)
{
    struct reasons *w = user;
    char at[32];

    if (e->at_us < w->since_us) {
        return 1;
    }
    if (strcmp(e->kind, w->kind) == 0 && w->n++ < 20) {
        clock_format_utc(e->at_us, "%Y-%m-%dT%H:%M:%SZ", at, sizeof at);
        status_say(w->run, w->level, "%s: %s", at, e->text);
    }
    return 0;
}

void status_batches(struct status_run *r)
{
    struct error err = {.kind = ERR_NONE};
    int64_t n = 0, oldest_us = 0, aside;
    struct reasons w = {.run = r, .kind = "set-aside", .level = STATUS_CRITICAL};
    struct state *s;
    bool none;

    s = look(r, &none);
    if (s == NULL) {
        return;
    }
    aside = fact(s, "set_aside");
    if (state_waiting(s, &n, &oldest_us, &err) != 0) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    } else if (aside > 0) {
        status_say(r, STATUS_CRITICAL,
                   "the last run set %" PRId64 " batch%s or session%s aside; %" PRId64
                   " batch%s frozen and not stored",
                   aside, aside == 1 ? "" : "es", status_s(aside), n, n == 1 ? " is" : "es are");
        /* Noted at most once an hour. */
        w.since_us = fact(s, "run_us") - HOUR_US - 60 * INT64_C(1000000);
        (void)state_events(s, say_event, &w, &err);
    } else {
        status_say(r, STATUS_OK, "%" PRId64 " batch%s frozen and not stored", n,
                   n == 1 ? " is" : "es are");
    }
    r->value(r->user, "frozen", "", n, -1, -1);
    r->value(r->user, "set_aside", "", aside, -1, -1);
    state_close(s);
}

/* ---- withheld ---- */

struct withheld {
    struct status_run *run;
    int64_t n;
};

static int say_withheld(void *user, const struct state_withheld *w)
{
    struct withheld *v = user;

    v->n++;
    status_say(v->run, w->waiting > 0 ? STATUS_WARNING : STATUS_OK,
               "batch %" PRId64 " is withheld (%s); %" PRId64 " of its %" PRId64
               " segment%s %s in no other batch",
               w->seq, w->reason, w->waiting, w->segments, status_s(w->segments),
               w->waiting == 1 ? "is" : "are");
    return 0;
}

void status_withheld(struct status_run *r)
{
    struct error err = {.kind = ERR_NONE};
    struct withheld v = {r, 0};
    struct state *s;
    bool none;

    s = look(r, &none);
    if (s == NULL) {
        return;
    }
    if (state_withheld(s, say_withheld, &v, &err) < 0) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    }
    r->value(r->user, "withheld", "", v.n, -1, -1);
    state_close(s);
}

/* ---- alarms ---- */

void status_alarms(struct status_run *r)
{
    struct error err = {.kind = ERR_NONE};
    struct reasons w = {
        .run = r, .since_us = r->now_us - DAY_US, .kind = "alarm", .level = STATUS_CRITICAL};
    struct state *s;
    bool none;

    s = look(r, &none);
    if (s == NULL) {
        return;
    }
    if (state_events(s, say_event, &w, &err) < 0) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    } else if (w.n == 0) {
        status_say(r, STATUS_OK, "none within a day");
    }
    r->value(r->user, "alarms", "", w.n, -1, -1);
    state_close(s);
}

/* ---- clock ---- */

void status_clock(struct status_run *r)
{
    char text[32];
    int64_t skew, at_us = 0;
    struct state *s;
    bool none;

    s = look(r, &none);
    if (s == NULL) {
        return;
    }
    if (state_fact(s, "skew_us", text, sizeof text, &at_us, NULL) == 1 && text[0] != '\0') {
        skew = strtoll(text, NULL, 10);
        status_say(r, skew > SKEW_WARN_US || skew < -SKEW_WARN_US ? STATUS_WARNING : STATUS_OK,
                   "the store's clock is %" PRId64 " ms %s this host's (seen %" PRId64 " s ago)",
                   (skew < 0 ? -skew : skew) / 1000, skew < 0 ? "behind" : "ahead of",
                   seconds_since(r, at_us));
        r->value(r->user, "skew", "us", skew, -1, -1);
    }
    state_close(s);
}

/* ---- epoch ---- */

static int last_object(void *user, const char *name, const struct buf *line)
{
    struct buf *last = user;

    (void)name;
    buf_reset(last);
    return buf_append(last, buf_data(line), line->len, NULL);
}

/* The key that signs now, as a line of `verify --pins`. */
static void say_pin(struct status_run *r, struct state *s)
{
    char epoch[2 * KEY_EPOCH + 1], key[2 * KEY_PUBLIC + 1];
    struct keyobject k;
    struct json *j = NULL;
    struct buf last;

    buf_init(&last, KEYOBJECT_MAX);
    if (state_keys(s, last_object, &last, NULL) == 0 && last.len > 0 && json_open(&j, NULL) == 0 &&
        keyobject_read(j, buf_data(&last), last.len, &k, NULL) == 0) {
        status_say(r, STATUS_OK, "to pin: %s %s %s", k.host, io_hex(k.epoch, KEY_EPOCH, epoch),
                   io_hex(k.public_key, KEY_PUBLIC, key));
    }
    json_close(j);
    buf_clear(&last);
}

void status_epoch(struct status_run *r)
{
    struct error err = {.kind = ERR_NONE};
    struct reasons w = {
        .run = r, .since_us = r->now_us - DAY_US, .kind = "epoch", .level = STATUS_WARNING};
    struct state_identity id;
    struct state *s;
    bool none;

    s = look(r, &none);
    if (s == NULL) {
        return;
    }
    if (state_identity(s, &id, &err) != 0) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    } else if (id.known) {
        status_say(r, STATUS_OK, "host %s, key %" PRId64 ", batch %" PRId64, id.host, id.key_number,
                   id.seq);
        say_pin(r, s);
        (void)state_events(s, say_event, &w, NULL);
        r->value(r->user, "batch", "", id.seq, -1, -1);
        r->value(r->user, "new_epochs", "", w.n, -1, -1);
    }
    state_close(s);
}
