/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cmd.h"
#include "common/clock.h"
#include "common/json_write.h"
#include "common/log.h"
#include "shipper/depot.h"
#include "shipper/verify.h"

#define FINDINGS   1
#define UNREADABLE 3

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
    "Words: complete, open (goes on), cut (killed, power went), readable (a file: it carries no\n"
    "signature), orphan (a pack without a manifest); findings: gap, truncated, altered, repeated,\n"
    "versions, unsigned, unknown key.\n\n"
    "Exit status: 0 no findings; 1 findings; 2 usage; 3 unreadable.\n\n"
    "Examples:\n"
    "  ttytrail verify\n"
    "  ttytrail verify last\n"
    "  ttytrail verify session.cast.gz\n"
    "  ttytrail verify s3://audit-bucket/prod\n";

struct options {
    struct cmd_common common;
    bool json, quiet;
    char **args;
    int n_args;
};

enum target { DATABASE, FILES, STORE };

static int parse(int argc, char **argv, struct options *o)
{
    enum { OPT_JSON = 1, OPT_QUIET };
    static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
                                          {"quiet", no_argument, NULL, OPT_QUIET},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    int opt;

    while ((opt = getopt_long(argc, argv, "hq", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_verify, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc >= 0) {
            return rc;
        }
        o->json |= opt == OPT_JSON;
        o->quiet |= opt == OPT_QUIET || opt == 'q';
    }
    o->args = argv + optind;
    o->n_args = argc - optind;
    return -1;
}

/* ---- output ---- */

static int json_member(struct buf *b, const char *name, const char *value)
{
    if (value == NULL) {
        return 0;
    }
    return buf_printf(b, NULL, ",\"%s\":", name) != 0 || json_string(b, value, NULL) != 0 ? -1 : 0;
}

/* A member's name and a value to compare with: one word. */
static const char *json_word(enum verify_verdict v)
{
    return v == VERIFY_UNKNOWN_KEY ? "unknown_key" : verify_word(v);
}

static void say_json(const struct verify_line *l)
{
    struct buf b;

    buf_init(&b, 1U << 20);
    if (buf_printf(&b, NULL, "{\"what\":\"%s\",\"verdict\":\"%s\",\"finding\":%s", l->what,
                   json_word(l->verdict), verify_is_finding(l->verdict) ? "true" : "false") == 0 &&
        json_member(&b, "id", l->id) == 0 && json_member(&b, "user", l->user) == 0 &&
        json_member(&b, "title", l->title) == 0 && json_member(&b, "detail", l->detail) == 0 &&
        buf_printf(&b, NULL,
                   ",\"started_us\":%" PRId64 ",\"segments\":%" PRId64 ",\"bytes\":%" PRId64 "}\n",
                   l->started_us, l->segments, l->bytes) == 0) {
        (void)fwrite(buf_data(&b), 1, b.len, stdout);
    }
    buf_clear(&b);
}

/* What stands in a recording or a bucket never reaches the terminal raw. */
static const char *printable(const char *text, char *out, size_t size)
{
    return text == NULL ? "" : log_escape(text, strlen(text), out, size);
}

static void say_text(const struct verify_line *l)
{
    char id[1024], user[256], title[256], detail[1024], at[32] = "";

    if (l->started_us != 0) {
        clock_format_utc(l->started_us, " %Y-%m-%dT%H:%M:%SZ", at, sizeof at);
    }
    (void)printf("%-8s %s %s%s", verify_word(l->verdict), l->what, printable(l->id, id, sizeof id),
                 at);
    if (l->user != NULL && *l->user != '\0') {
        (void)printf(" %s", printable(l->user, user, sizeof user));
    }
    if (l->title != NULL && *l->title != '\0') {
        (void)printf(" \"%s\"", printable(l->title, title, sizeof title));
    }
    if (l->detail != NULL && *l->detail != '\0') {
        (void)printf(": %s", printable(l->detail, detail, sizeof detail));
    }
    (void)putchar('\n');
}

static void say_line(void *user, const struct verify_line *l)
{
    const struct options *o = user;

    if (o->quiet && !verify_is_finding(l->verdict)) {
        return;
    }
    if (o->json) {
        say_json(l);
    } else {
        say_text(l);
    }
}

static void say_counts(const struct verify_sum *s)
{
    const char *glue = "";

    for (int v = 0; v < VERIFY_VERDICTS; v++) {
        if (s->sessions[v] > 0) {
            (void)printf("%s%" PRId64 " %s", glue, s->sessions[v],
                         verify_word((enum verify_verdict)v));
            glue = ", ";
        }
    }
    (void)printf("%s", *glue == '\0' ? "no sessions" : "");
}

static void say_sum(const struct options *o, const struct verify_sum *s, enum target target)
{
    if (o->json) {
        (void)printf("{\"what\":\"sum\",\"findings\":%" PRId64 ",\"hosts\":%" PRId64
                     ",\"batches\":%" PRId64 ",\"segments\":%" PRId64 ",\"bytes\":%" PRId64
                     ",\"orphans\":%" PRId64,
                     s->findings, s->hosts, s->batches, s->segments, s->bytes, s->orphans);
        for (int v = 0; v < VERIFY_VERDICTS; v++) {
            if (v != VERIFY_ORPHAN) { /* never a session's */
                (void)printf(",\"%s\":%" PRId64, json_word((enum verify_verdict)v), s->sessions[v]);
            }
        }
        (void)printf("}\n");
        return;
    }
    if (target == FILES) {
        /* Nobody vouches for a file. */
        (void)printf("%s: ", s->findings == 0 ? "read" : "NOT readable");
        say_counts(s);
        (void)printf("; %" PRId64 " bytes; %" PRId64 " findings\n", s->bytes, s->findings);
        return;
    }
    (void)printf("%s: ", s->findings == 0 ? "verified" : "NOT verified");
    say_counts(s);
    (void)printf("; %" PRId64 " segments, %" PRId64 " bytes", s->segments, s->bytes);
    if (target == STORE) {
        (void)printf("; %" PRId64 " batches, %" PRId64 " orphans", s->batches, s->orphans);
    }
    (void)printf("; %" PRId64 " findings\n", s->findings);
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
    struct conf conf = {.ship_to = NULL};
    char *dir = NULL;
    int rc = -1;

    if (!depot_is_url(word) && (dir = realpath(word, NULL)) == NULL) {
        return err_sys(err, "%.120s", word);
    }
    if (conf_open(&conf, o->common.config, err) == 0) {
        rc = verify_store(v, dir != NULL ? dir : word, &conf, err);
    }
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

static int look(const struct options *o, struct verify *v, enum target *ret, struct error *err)
{
    const char *first = o->n_args == 0 ? NULL : o->args[0];
    char db[4096];

    if (o->n_args == 1 && (depot_is_url(first) || is_dir(first))) {
        *ret = STORE;
        return look_at_store(o, first, v, err);
    }
    if (o->n_args > 1 || (first != NULL && is_file(first))) {
        *ret = FILES;
        return look_at_files(o, v, err);
    }
    *ret = DATABASE;
    if (cmd_db_path(&o->common, db, sizeof db, err) != 0) {
        return -1;
    }
    return verify_db(v, db, first, err);
}

static int run(int argc, char **argv)
{
    struct options o = {.json = false};
    struct error err = {.kind = ERR_NONE};
    struct verify v = {.line = say_line, .user = &o};
    enum target target = DATABASE;
    int rc = parse(argc, argv, &o);

    if (rc >= 0) {
        return rc;
    }
    if (look(&o, &v, &target, &err) != 0) {
        rc = cmd_fail(&err);
        return rc == CMD_USAGE ? rc : UNREADABLE;
    }
    say_sum(&o, &v.sum, target);
    return v.sum.findings > 0 ? FINDINGS : CMD_DONE;
}

const struct cmd cmd_verify = {
    .name = "verify",
    .summary = "is it all there, unaltered?",
    .help = help,
    .run = run,
};
