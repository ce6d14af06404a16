/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail who: who opened a session, in a sentence. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "replay/timeline.h"
#include "trail/correlate.h"
#include "trail/subject_db.h"

#define JSON_MAX (256U * 1024)
#define MARK     "verdict "

static const char help[] =
    "Usage: ttytrail who [OPTION...] SESSION\n"
    "\n"
    "Says who opened a session: the IAM principal, through which role, how, from where, how sure\n"
    "that is and by which evidence, as 'ttytrail correlate' found it last.\n"
    "\n"
    "Options:\n"
    "  -j, --json       the verdict as one JSON object\n"
    "      --db FILE    the evidence database\n"
    "      --config FILE  the configuration\n"
    "  -h, --help       this\n"
    "\n"
    "Exit status: 0 there is a verdict (which may be: nobody), 1 there is none yet, 2 usage.\n"
    "\n"
    "Examples:\n"
    "  ttytrail who last\n"
    "  ttytrail who 3f9a21c0 --json | jq -r .principal\n";

struct options {
    struct cmd_common common;
    const char *session;
    bool json;
};

/* ---- where verdicts are ---- */

/* trail.db is for who correlates; everybody else has the host's journal. */
static int from_store(const char *db, const uint8_t subject[16], struct verdict *ret)
{
    struct trail_store *t = NULL;
    struct error err = {.kind = ERR_NONE};
    char path[4200];
    int rc = -1;

    if (correlate_store_path(db, path, sizeof path, &err) == 0 && access(path, R_OK | W_OK) == 0 &&
        trail_store_open(&t, path, &err) == 0) {
        rc = trail_store_verdict(t, subject, ret, &err);
        trail_store_close(t);
    }
    return rc;
}

struct journal {
    struct reader *r;
    struct json *j;
    const uint8_t *subject;
    struct verdict *newest, *scratch;
    bool found;
    struct error *err;
};

static void on_mark(struct journal *w, const struct timeline_event *ev)
{
    struct error ignored;
    size_t len = strlen(MARK);

    if (ev->kind == 'm' && ev->len > len && memcmp(ev->bytes, MARK, len) == 0 &&
        verdict_parse(w->j, (const char *)ev->bytes + len, ev->len - len, w->scratch, &ignored) ==
            0 &&
        memcmp(w->scratch->subject, w->subject, 16) == 0 &&
        (!w->found || w->scratch->revision >= w->newest->revision)) {
        *w->newest = *w->scratch;
        w->found = true;
    }
}

static int on_session(void *user, const struct session_row *s)
{
    struct journal *w = user;
    struct timeline *t = NULL;
    struct timeline_event ev;
    struct error ignored = {.kind = ERR_NONE};
    int rc;

    if (strcmp(s->kind, "host") != 0) {
        return 0;
    }
    if (timeline_open_session(&t, w->r, s, w->err) != 0) {
        return -1;
    }
    while ((rc = timeline_next(t, &ev, &ignored)) != 0) {
        if (rc == 1) {
            on_mark(w, &ev);
        }
    }
    timeline_close(t);
    return 0;
}

static int from_journal(struct reader *r, const uint8_t subject[16], struct verdict *ret,
                        struct error *err)
{
    struct journal w = {.r = r, .subject = subject, .newest = ret, .err = err};
    int rc = -1;

    w.scratch = malloc(sizeof *w.scratch);
    if (w.scratch == NULL) {
        return err_sys(err, "allocate");
    }
    if (json_open(&w.j, err) == 0) {
        rc = reader_sessions(r, on_session, &w, err);
        json_close(w.j);
    }
    free(w.scratch);
    return rc != 0 ? -1 : w.found;
}

/* ---- in words ---- */

static void detail(const char *name, const char *value)
{
    char line[8192];

    if (*value != '\0') {
        (void)printf("  %-10s %s\n", name,
                     log_escape(value, strnlen(value, 2000), line, sizeof line));
    }
}

static void print_text(const struct verdict *v, const struct buf *sentence)
{
    char when[40] = "", text[80], line[16384];

    (void)printf("%s\n",
                 log_escape((const char *)buf_data(sentence),
                            sentence->len < 4000 ? sentence->len : 4000, line, sizeof line));
    if (v->event_us > 0) {
        clock_format_utc(v->event_us, "%Y-%m-%dT%H:%M:%SZ", when, sizeof when);
    }
    (void)snprintf(text, sizeof text, "%s (%s)", verdict_grade_word(v->grade), v->rule);
    detail("grade", text);
    detail("arn", v->arn);
    detail("person", v->person_arn);
    detail("identity", v->source_identity);
    detail("record", v->event_name);
    detail("at", when);
    detail("event", v->event);
    detail("file", v->object);
    detail("digest", v->event[0] != '\0' ? verdict_digest_word(v->digest) : "");
    detail("ended by", v->ended_by);
    for (size_t i = 0; i < v->candidates; i++) {
        (void)snprintf(line, sizeof line, "%s (%s, %s)", v->candidate[i].principal,
                       v->candidate[i].arn, v->candidate[i].event);
        detail("one of", line);
    }
    (void)snprintf(text, sizeof text, "%" PRId64, v->revision);
    detail("revision", text);
}

static int say(const struct options *o, const struct verdict *v, struct error *err)
{
    struct buf out;
    int rc;

    buf_init(&out, JSON_MAX);
    rc = o->json ? verdict_json(v, &out, err) : verdict_sentence(v, &out, err);
    if (rc == 0 && o->json) {
        (void)printf("%.*s\n", (int)out.len, (const char *)buf_data(&out));
    } else if (rc == 0) {
        print_text(v, &out);
    }
    buf_clear(&out);
    return rc;
}

static int who(const struct options *o, struct error *err)
{
    static const struct subject_config nothing;
    struct session_row row;
    struct reader *r = NULL;
    struct subject *s = malloc(sizeof *s);
    struct verdict *v = malloc(sizeof *v);
    char db[4096];
    int rc = -1;

    session_row_init(&row);
    if (s == NULL || v == NULL) {
        (void)err_sys(err, "allocate");
    } else if (cmd_db_path(&o->common, db, sizeof db, err) == 0 &&
               evidence_open(&o->common, &r, err) == 0 &&
               reader_find(r, o->session, &row, err) == 0) {
        subject_of_session(&row, &nothing, s);
        rc = from_store(db, s->id, v);
        if (rc != 1) {
            rc = from_journal(r, s->id, v, err);
        }
        if (rc == 0) {
            rc = err_set(err, ERR_SYSTEM,
                         "nothing is known of it yet: 'ttytrail correlate' finds out");
        }
        rc = rc == 1 ? say(o, v, err) : -1;
    }
    session_row_clear(&row);
    reader_close(r);
    free(s);
    free(v);
    return rc;
}

static int run(int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'}, CMD_COMMON_OPTIONS, {NULL, 0, NULL, 0}};
    struct options o = {.json = false};
    struct error err = {.kind = ERR_NONE};
    int opt;

    argv[0] = (char *)"ttytrail who"; /* as getopt's own messages begin */
    while ((opt = getopt_long(argc, argv, "jh", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_who, opt == 'h' ? CMD_OPT_HELP : opt, &o.common);

        if (rc >= 0) {
            return rc;
        }
        o.json |= opt == 'j';
    }
    if (argc - optind != 1) {
        return cmd_usage(&cmd_who, argc == optind ? "which session? (an id, or last)"
                                                  : "one session at a time");
    }
    o.session = argv[optind];
    return evidence_config_check(&o.common, &err) != 0 || who(&o, &err) != 0 ? cmd_fail(&err)
                                                                             : CMD_DONE;
}

const struct cmd cmd_who = {
    .name = "who",
    .summary = "who opened a session, in a sentence",
    .help = help,
    .run = run,
};
