/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "common/io.h"
#include "common/json_write.h"
#include "common/log.h"
#include "shipper/depot.h"
#include "shipper/import.h"
#include "shipper/verify_name.h"

#define FINDINGS 1
#define JOBS     8
#define PINS_MAX (16U * 1024 * 1024)

static const char help[] =
    "Usage: ttytrail import [OPTION...] URL | DIR\n\n"
    "Brings sessions that were shipped into a database, as they were sealed: everything is "
    "checked\n"
    "against what was signed before it is written, and what cannot be proved is left out and "
    "said.\n"
    "Again it brings only what is new.  Imported sessions carry the flag 'imported'; they are\n"
    "never shipped from there.\n\n"
    "  URL             s3://BUCKET[/PREFIX] or file:///DIR, as 'ship' wrote it\n"
    "  --host HOST     this host only\n"
    "  --session ID    this session only (its id, or the beginning of it)\n"
    "  --day DAY       what was shipped on this day only (YYYY-MM-DD, UTC)\n"
    "  --since DAY, --until DAY   a range of days, both included\n"
    "  --pins FILE     only keys in it may sign: lines HOST EPOCH KEY, all as 'verify' prints "
    "them\n"
    "  --dry-run       check everything, write nothing\n"
    "  --json          one JSON object for each session, and one for the sum\n"
    "  -q, --quiet     say nothing but what is wrong\n"
    "  --socket PATH   control socket of an installed writer\n"
    "  --db FILE       the database to bring them into; made if it is not there\n"
    "  --config FILE   the configuration, for [s3]\n"
    "  -h, --help      this text\n\n"
    "A session that began before the days that are asked for is left out, unless what came before\n"
    "is in the database already.\n\n"
    "Exit status: 0 all that was asked for is there; 1 failed, findings, or something was left\n"
    "out; 2 usage.\n\n"
    "Examples:\n"
    "  ttytrail import --db case-7.db s3://audit-bucket/prod --host i-0abc --day 2026-11-26\n"
    "  ttytrail import --db case-7.db --session 6f0e file:///srv/audit\n"
    "  ttytrail play --db case-7.db last\n";

struct options {
    struct cmd_common common;
    const char *socket, *host, *session, *day, *since, *until, *pins, *url;
    bool dry_run, json, quiet;
};

enum {
    OPT_SOCKET = 1,
    OPT_HOST,
    OPT_SESSION,
    OPT_DAY,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_PINS,
    OPT_DRY,
    OPT_JSON,
    OPT_QUIET,
    OPT_END
};

/* CMD_DONE after --help, CMD_USAGE; -1: go on. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"socket", required_argument, NULL, OPT_SOCKET},
                                          {"host", required_argument, NULL, OPT_HOST},
                                          {"session", required_argument, NULL, OPT_SESSION},
                                          {"day", required_argument, NULL, OPT_DAY},
                                          {"since", required_argument, NULL, OPT_SINCE},
                                          {"until", required_argument, NULL, OPT_UNTIL},
                                          {"pins", required_argument, NULL, OPT_PINS},
                                          {"dry-run", no_argument, NULL, OPT_DRY},
                                          {"json", no_argument, NULL, OPT_JSON},
                                          {"quiet", no_argument, NULL, OPT_QUIET},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    const char **texts[OPT_END] = {
        [OPT_SOCKET] = &o->socket, [OPT_HOST] = &o->host,   [OPT_SESSION] = &o->session,
        [OPT_DAY] = &o->day,       [OPT_SINCE] = &o->since, [OPT_UNTIL] = &o->until,
        [OPT_PINS] = &o->pins};
    int opt;

    while ((opt = getopt_long(argc, argv, "hq", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_import, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc >= 0) {
            return rc;
        }
        o->dry_run |= opt == OPT_DRY;
        o->json |= opt == OPT_JSON;
        o->quiet |= opt == OPT_QUIET || opt == 'q';
        if (opt > 0 && opt < OPT_END && texts[opt] != NULL) {
            *texts[opt] = optarg;
        }
    }
    if (argc - optind != 1) {
        return cmd_usage(&cmd_import, "from where? one s3://BUCKET[/PREFIX], file:///DIR or DIR");
    }
    o->url = argv[optind];
    return -1;
}

/* ---- what is asked for ---- */

static int take_day(const char *text, char ret[11])
{
    if (text != NULL && !verify_day_valid(text)) {
        return cmd_usage(&cmd_import, "'%.40s' is no day: YYYY-MM-DD", text);
    }
    (void)snprintf(ret, 11, "%s", text == NULL ? "" : text);
    return -1;
}

static int take_scope(const struct options *o, struct verify_scope *s)
{
    const char *since = o->day != NULL ? o->day : o->since;
    const char *until = o->day != NULL ? o->day : o->until;
    int rc;

    if (o->day != NULL && (o->since != NULL || o->until != NULL)) {
        return cmd_usage(&cmd_import, "--day, or --since and --until");
    }
    if (o->session != NULL &&
        (strlen(o->session) > 32 || strspn(o->session, "0123456789abcdef") != strlen(o->session))) {
        return cmd_usage(&cmd_import, "'%.40s' is no session: its id, or the beginning of it",
                         o->session);
    }
    s->host = o->host;
    s->session = o->session;
    rc = take_day(since, s->since);
    return rc >= 0 ? rc : take_day(until, s->until);
}

static int read_pins(const char *path, struct verify_pins *ret, struct error *err)
{
    struct buf text;
    int rc;

    buf_init(&text, PINS_MAX);
    rc = io_read_file(AT_FDCWD, path, PINS_MAX, &text, err);
    if (rc == 0) {
        rc = verify_pins_parse((const char *)buf_data(&text), text.len, ret, err);
    }
    buf_clear(&text);
    if (rc == 0 && ret->n == 0) {
        return err_set(err, ERR_USAGE, "--pins %.120s: no pin stands in it", path);
    }
    return rc != 0 ? err_wrap(err, "%.120s", path) : 0;
}

/* ---- what is said ---- */

static void say_note(void *user, const char *text)
{
    char line[4096];

    (void)user;
    (void)fprintf(stderr, "ttytrail import: %s\n",
                  log_escape(text, strlen(text), line, sizeof line));
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void say_session(void *user, const char *id, const char *host, const char *who,
                        int64_t segments, int64_t bytes)
{
    const struct options *o = user;
    char a[1024], b[1024];
    struct buf line;

    if (o->json) {
        buf_init(&line, 65536);
        if (buf_printf(&line, NULL, "{\"session\":\"%s\",\"host\":", id) == 0 &&
            json_string(&line, host, NULL) == 0 && buf_puts(&line, ",\"user\":", NULL) == 0 &&
            json_string(&line, who, NULL) == 0 &&
            buf_printf(&line, NULL, ",\"segments\":%" PRId64 ",\"bytes\":%" PRId64 "}\n", segments,
                       bytes) == 0) {
            (void)fwrite(buf_data(&line), 1, line.len, stdout);
        }
        buf_clear(&line);
    } else if (!o->quiet) {
        (void)printf("session %s of %s on %s: %" PRId64 " segment%s, %" PRId64 " byte%s\n", id,
                     log_escape(who, strlen(who), a, sizeof a),
                     log_escape(host, strlen(host), b, sizeof b), segments, plural(segments), bytes,
                     plural(bytes));
    }
}

static void say_sum(const struct options *o, const struct import_result *r)
{
    if (o->json) {
        (void)printf("{\"dry_run\":%s,\"sessions\":%" PRId64 ",\"segments\":%" PRId64
                     ",\"bytes\":%" PRId64 ",\"known\":%" PRId64 ",\"left_out\":%" PRId64
                     ",\"findings\":%" PRId64 "}\n",
                     o->dry_run ? "true" : "false", r->sessions, r->segments, r->bytes, r->known,
                     r->left_out, r->findings);
    } else if (!o->quiet) {
        (void)printf(
            "%s %" PRId64 " segment%s of %" PRId64 " session%s, %" PRId64 " byte%s; %" PRId64
            " session%s had nothing new, %" PRId64 " %s left out; %" PRId64 " finding%s\n",
            o->dry_run ? "would import" : "imported", r->segments, plural(r->segments), r->sessions,
            plural(r->sessions), r->bytes, plural(r->bytes), r->known, plural(r->known),
            r->left_out, r->left_out == 1 ? "was" : "were", r->findings, plural(r->findings));
    }
}

static int bring(const struct options *o, struct import_config *c, struct error *err)
{
    struct verify_pins pins = {.n = 0};
    struct import_result r = {.sessions = 0};
    char *dir = NULL;
    int rc = -1;

    if (o->pins != NULL && read_pins(o->pins, &pins, err) == 0) {
        c->pins = &pins;
    }
    if (o->pins == NULL || c->pins != NULL) {
        if (!depot_is_url(o->url) && (dir = realpath(o->url, NULL)) == NULL) {
            (void)err_sys(err, "%.120s", o->url);
        } else {
            c->url = dir != NULL ? dir : o->url;
            rc = import_run(c, &r, err);
            say_sum(o, &r);
        }
    }
    free(dir);
    verify_pins_clear(&pins);
    if (rc != 0) {
        return cmd_fail(err);
    }
    return r.findings + r.left_out > 0 ? FINDINGS : CMD_DONE;
}

static int run(int argc, char **argv)
{
    struct options o = {.url = NULL};
    struct error err = {.kind = ERR_NONE};
    struct evidence_place at;
    struct import_config c = {.jobs = JOBS, .note = say_note, .session = say_session, .user = &o};
    int rc = parse(argc, argv, &o);

    if (rc < 0) {
        rc = take_scope(&o, &c.scope);
    }
    if (rc >= 0) {
        return rc;
    }
    if (evidence_place(&o.common, o.socket, &at, &err) != 0) {
        return cmd_fail(&err);
    }
    c.db = at.db;
    c.socket_or_null = at.socket_or_null;
    c.conf = &at.conf;
    c.dry_run = o.dry_run;
    rc = bring(&o, &c, &err);
    evidence_place_clear(&at);
    return rc;
}

const struct cmd cmd_import = {
    .name = "import",
    .summary = "bring back what was shipped, into a database",
    .help = help,
    .run = run,
};
