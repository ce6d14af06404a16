/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "cli/verify_say.h"
#include "common/clock.h"
#include "common/io.h"
#include "shipper/depot.h"
#include "shipper/verify.h"

#define FINDINGS   1
#define UNREADABLE 3
#define JOBS       8
#define LATE_H     24
#define LIST_MAX   (64U * 1024 * 1024)

static const char help[] =
    "Usage: ttytrail verify [OPTION...] [SESSION | FILE... | DIR | URL]\n\n"
    "Is it all there, unaltered?  Checks the database (or one session of it), files, or what was\n"
    "shipped: hashes, chains, signatures, and that everything can be read.  One line for each\n"
    "session (and host), then a sentence.\n\n"
    "  SESSION         an id, the beginning of one, 'last', 'title:T'; default: all\n"
    "  FILE            a .cast or .cast.gz, ours or anybody's\n"
    "  URL             s3://BUCKET[/PREFIX] or file:///DIR, as 'ship' wrote it\n"
    "  DIR             the same as file:///DIR\n"
    "  --json          one JSON object per line\n"
    "  -q, --quiet     findings and the sentence only\n"
    "  --db FILE       the database\n"
    "  --config FILE   the configuration, for [s3]\n"
    "  -h, --help      this text\n\n"
    "Of what was shipped:\n"
    "  --host HOST     this host only\n"
    "  --session ID    this session only (its id, or the beginning of it)\n"
    "  --day DAY       this day only (YYYY-MM-DD, UTC, of the batches' making)\n"
    "  --since DAY, --until DAY   a range of days, both included\n"
    "  --pins FILE     only keys in it may sign: lines HOST EPOCH KEY, all as 'verify' prints "
    "them\n"
    "  --expect HOSTS  hosts that have to be there: names with commas, or a file (with a slash)\n"
    "  --at TIME       judge at this time whether hosts fell silent; a bucket's default: now\n"
    "  --late HOURS    how much later than its making a batch may be stored; 0: ever; default:\n"
    "                  24 for a bucket, 0 for a directory (whose times are the copy's)\n"
    "  --jobs N        so many at once, 1 to 32; default: 8\n"
    "  --quick         packs by their size, without reading them\n\n"
    "Words: complete, open (goes on), cut (killed, power went), readable (a file: it carries no\n"
    "signature), orphan (nothing signed needs it); findings: gap, truncated, altered, repeated,\n"
    "versions, unsigned, unknown key, withheld, back-dated, silent, absent (asked for, not "
    "here).\n\n"
    "Exit status: 0 no findings; 1 findings; 2 usage; 3 unreadable.\n\n"
    "Examples:\n"
    "  ttytrail verify\n"
    "  ttytrail verify last\n"
    "  ttytrail verify session.cast.gz\n"
    "  ttytrail verify s3://audit-bucket/prod\n"
    "  ttytrail verify --day 2026-11-26 --expect ./hosts --pins ./pins s3://audit-bucket/prod\n";

struct options {
    struct cmd_common common;
    struct verify_say say;
    const char *host, *session, *day, *since, *until, *pins, *expect, *at, *late, *jobs;
    bool quick;
    char **args;
    int n_args;
};

static int parse(int argc, char **argv, struct options *o)
{
    enum {
        OPT_JSON = 1,
        OPT_QUIET,
        OPT_QUICK,
        OPT_HOST,
        OPT_SESSION,
        OPT_DAY,
        OPT_SINCE,
        OPT_UNTIL,
        OPT_PINS,
        OPT_EXPECT,
        OPT_AT,
        OPT_LATE,
        OPT_JOBS,
        OPT_END
    };
    static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
                                          {"quiet", no_argument, NULL, OPT_QUIET},
                                          {"quick", no_argument, NULL, OPT_QUICK},
                                          {"host", required_argument, NULL, OPT_HOST},
                                          {"session", required_argument, NULL, OPT_SESSION},
                                          {"day", required_argument, NULL, OPT_DAY},
                                          {"since", required_argument, NULL, OPT_SINCE},
                                          {"until", required_argument, NULL, OPT_UNTIL},
                                          {"pins", required_argument, NULL, OPT_PINS},
                                          {"expect", required_argument, NULL, OPT_EXPECT},
                                          {"at", required_argument, NULL, OPT_AT},
                                          {"late", required_argument, NULL, OPT_LATE},
                                          {"jobs", required_argument, NULL, OPT_JOBS},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    const char **texts[OPT_END] = {
        [OPT_HOST] = &o->host,     [OPT_SESSION] = &o->session, [OPT_DAY] = &o->day,
        [OPT_SINCE] = &o->since,   [OPT_UNTIL] = &o->until,     [OPT_PINS] = &o->pins,
        [OPT_EXPECT] = &o->expect, [OPT_AT] = &o->at,           [OPT_LATE] = &o->late,
        [OPT_JOBS] = &o->jobs};
    int opt;

    while ((opt = getopt_long(argc, argv, "hq", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_verify, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc >= 0) {
            return rc;
        }
        o->say.json |= opt == OPT_JSON;
        o->say.quiet |= opt == OPT_QUIET || opt == 'q';
        o->quick |= opt == OPT_QUICK;
        if (opt > 0 && opt < OPT_END && texts[opt] != NULL) {
            *texts[opt] = optarg;
        }
    }
    o->args = argv + optind;
    o->n_args = argc - optind;
    return -1;
}

/* ---- how to look at a store ---- */

static int number(const char *text, const char *name, int64_t min, int64_t max, int64_t *ret,
                  struct error *err)
{
    char *end = NULL;

    if (text == NULL) {
        return 0;
    }
    errno = 0;
    *ret = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *ret < min || *ret > max) {
        return err_set(err, ERR_USAGE, "--%s %.40s: a number from %lld to %lld", name, text,
                       (long long)min, (long long)max);
    }
    return 0;
}

static int day(const char *text, const char *name, char ret[11], struct error *err)
{
    int64_t us;

    if (text == NULL) {
        return 0;
    }
    if (strlen(text) != 10 || clock_parse(text, &us, err) != 0) {
        return err_set(err, ERR_USAGE, "--%s %.40s: a day as 2026-11-26", name, text);
    }
    memcpy(ret, text, 11);
    return 0;
}

static int days(const struct options *o, struct verify_scope *s, struct error *err)
{
    if (o->day != NULL && (o->since != NULL || o->until != NULL)) {
        return err_set(err, ERR_USAGE, "--day, or --since and --until");
    }
    if (day(o->day != NULL ? o->day : o->since, o->day != NULL ? "day" : "since", s->since, err) !=
            0 ||
        day(o->day != NULL ? o->day : o->until, o->day != NULL ? "day" : "until", s->until, err) !=
            0) {
        return -1;
    }
    if (s->since[0] != '\0' && s->until[0] != '\0' && strcmp(s->since, s->until) > 0) {
        return err_set(err, ERR_USAGE, "--since %s is after --until %s", s->since, s->until);
    }
    return 0;
}

/* When silence is judged: as told, else of a bucket now, or at the end of the last day that is
 * looked at. */
static int judged_at(const struct options *o, bool bucket, const struct verify_scope *s,
                     int64_t *ret, struct error *err)
{
    char end[32];
    int64_t us = 0;

    if (o->at != NULL) {
        return clock_parse(o->at, ret, err);
    }
    if (!bucket) {
        return 0;
    }
    *ret = clock_unix_us();
    if (s->until[0] != '\0') {
        (void)snprintf(end, sizeof end, "%sT23:59:59Z", s->until);
        if (clock_parse(end, &us, err) != 0) {
            return -1;
        }
        *ret = us < *ret ? us : *ret;
    }
    return 0;
}

static int settle(const struct options *o, bool bucket, struct verify *v, struct error *err)
{
    int64_t jobs = JOBS, late = bucket ? LATE_H : 0;

    if (number(o->jobs, "jobs", 1, VERIFY_JOBS_MAX, &jobs, err) != 0 ||
        number(o->late, "late", 0, 1000000, &late, err) != 0 || days(o, &v->scope, err) != 0 ||
        judged_at(o, bucket, &v->scope, &v->at_us, err) != 0) {
        return -1;
    }
    if (o->session != NULL &&
        (o->session[0] == '\0' || strspn(o->session, "0123456789abcdef") != strlen(o->session))) {
        return err_set(err, ERR_USAGE, "--session %.80s: an id in hex, or the beginning of one",
                       o->session);
    }
    v->scope.host = o->host;
    v->scope.session = o->session;
    v->jobs = (unsigned)jobs;
    v->late_us = late * INT64_C(3600000000);
    v->quick = o->quick;
    return 0;
}

/* Names, or with a slash a file of them. */
static int read_names(const char *text, struct verify_names *ret, struct error *err)
{
    struct buf b;
    int rc;

    if (strchr(text, '/') == NULL) {
        rc = verify_names_parse(text, strlen(text), ret, err);
        return rc == 0 && ret->n == 0 ? err_set(err, ERR_USAGE, "--expect: no host") : rc;
    }
    buf_init(&b, LIST_MAX);
    rc = io_read_file(AT_FDCWD, text, LIST_MAX, &b, err);
    if (rc == 0) {
        rc = verify_names_parse((const char *)buf_data(&b), b.len, ret, err);
    }
    buf_clear(&b);
    if (rc == 0 && ret->n == 0) {
        return err_set(err, ERR_USAGE, "--expect %.120s: no host stands in it", text);
    }
    return rc == 0 ? 0 : err_wrap(err, "--expect %.120s", text);
}

static int read_pins(const char *path, struct verify_pins *ret, struct error *err)
{
    struct buf b;
    int rc;

    buf_init(&b, LIST_MAX);
    rc = io_read_file(AT_FDCWD, path, LIST_MAX, &b, err);
    if (rc == 0) {
        rc = verify_pins_parse((const char *)buf_data(&b), b.len, ret, err);
    }
    buf_clear(&b);
    if (rc == 0 && ret->n == 0) {
        (void)fprintf(stderr,
                      "ttytrail verify: --pins %s: no pin stands in it; each key that is "
                      "there is named\n",
                      path);
    }
    return rc == 0 ? 0 : err_wrap(err, "--pins %.120s", path);
}

/* ---- what to look at ---- */

/* A word is a file when it has a slash or ends like one, or when there is such a file. */
static bool is_file(const char *word)
{
    size_t n = strlen(word);
    struct stat st;

    return strchr(word, '/') != NULL || (n > 5 && strcmp(word + n - 5, ".cast") == 0) ||
           (n > 8 && strcmp(word + n - 8, ".cast.gz") == 0) || stat(word, &st) == 0;
}

static bool is_dir(const char *word)
{
    struct stat st;

    return stat(word, &st) == 0 && S_ISDIR(st.st_mode);
}

static int look_at_store(const struct options *o, const char *word, struct verify *v,
                         struct error *err)
{
    struct verify_names names = {.n = 0};
    struct verify_pins pins = {.n = 0};
    struct conf conf = {.ship_to = NULL};
    char *dir = NULL;
    int rc = -1;

    if (!depot_is_url(word) && (dir = realpath(word, NULL)) == NULL) {
        return err_sys(err, "%.120s", word);
    }
    v->hosts = o->expect != NULL ? &names : NULL;
    v->pins = o->pins != NULL ? &pins : NULL;
    if (settle(o, o->say.place == VERIFY_BUCKET, v, err) == 0 &&
        (o->expect == NULL || read_names(o->expect, &names, err) == 0) &&
        (o->pins == NULL || read_pins(o->pins, &pins, err) == 0) &&
        conf_open(&conf, o->common.config, err) == 0) {
        rc = verify_store(v, dir != NULL ? dir : word, &conf, err);
        /* The words of the command make sense, whatever is not set. */
        err->kind = rc != 0 && err->kind == ERR_USAGE ? ERR_SYSTEM : err->kind;
    }
    verify_names_clear(&names);
    verify_pins_clear(&pins);
    conf_clear(&conf);
    free(dir);
    return rc;
}

static int look_at_files(const struct options *o, struct verify *v, struct error *err)
{
    for (int i = 0; i < o->n_args; i++) {
        if (depot_is_url(o->args[i]) || is_dir(o->args[i]) || !is_file(o->args[i])) {
            return err_set(err, ERR_USAGE,
                           "'%.80s' is no file: one session, or files, or one directory or URL",
                           o->args[i]);
        }
    }
    for (int i = 0; i < o->n_args; i++) {
        if (verify_file(v, o->args[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int look(struct options *o, struct verify *v, struct error *err)
{
    const char *first = o->n_args == 0 ? NULL : o->args[0];
    char db[4096];

    if (o->n_args == 1 && (depot_is_url(first) || is_dir(first))) {
        o->say.place = strncmp(first, "s3://", 5) == 0 ? VERIFY_BUCKET : VERIFY_DIRECTORY;
        return look_at_store(o, first, v, err);
    }
    if (o->host != NULL || o->session != NULL || o->day != NULL || o->since != NULL ||
        o->until != NULL || o->pins != NULL || o->expect != NULL || o->at != NULL ||
        o->late != NULL || o->jobs != NULL || o->quick) {
        return err_set(err, ERR_USAGE, "such options are for one directory or URL");
    }
    if (evidence_config_check(&o->common, err) != 0) {
        return -1;
    }
    if (o->n_args > 1 || (first != NULL && is_file(first))) {
        o->say.place = VERIFY_FILES;
        return look_at_files(o, v, err);
    }
    o->say.place = VERIFY_DATABASE;
    if (cmd_db_path(&o->common, db, sizeof db, err) != 0) {
        return -1;
    }
    return verify_db(v, db, first, err);
}

static int run(int argc, char **argv)
{
    struct options o = {.quick = false};
    struct error err = {.kind = ERR_NONE};
    struct verify v = {.line = verify_say_line, .progress = verify_say_progress, .user = &o.say};
    int rc = parse(argc, argv, &o);

    if (rc >= 0) {
        return rc;
    }
    o.say.bar = isatty(STDERR_FILENO) == 1;
    if (look(&o, &v, &err) != 0) {
        verify_say_clear(&o.say);
        rc = cmd_fail(&err);
        return rc == CMD_USAGE ? rc : UNREADABLE;
    }
    verify_say_sum(&o.say, &v.sum);
    return v.sum.findings > 0 ? FINDINGS : CMD_DONE;
}

const struct cmd cmd_verify = {
    .name = "verify",
    .summary = "is it all there, unaltered?",
    .help = help,
    .run = run,
};
