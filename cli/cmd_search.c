/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail search: where something was seen or typed. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "cli/search_place.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json_write.h"
#include "common/utf8.h"
#include "replay/search/search.h"

#define LINE_BYTES (1024U * 1024)
#define ID_DIGITS  8
#define BAR_US     100000

static const char help[] =
    "Usage: ttytrail search [OPTION...] PATTERN [EXPRESSION]\n"
    "\n"
    "Finds lines that were seen or typed, the newest first: an extended regular expression,\n"
    "regex(7), in the sessions that EXPRESSION means ('ttytrail list --help').  Sessions that "
    "have\n"
    "ended are kept in an index, which is brought up to date first; what was redacted is nowhere.\n"
    "\n"
    "Options:\n"
    "  -F, --fixed-strings  PATTERN is a text\n"
    "  -i, --ignore-case    upper and lower case are the same\n"
    "      --in WHERE       output (lines of the terminal), screen (full-screen programs), typed;\n"
    "                       a list with commas; default: all of them\n"
    "  -n, --limit N        stop after N lines\n"
    "  -j, --json           one JSON object a line\n"
    "  -S, --since TIME, -U, --until TIME  as in list\n"
    "      --update         only bring the index up to date; without PATTERN\n"
    "      --no-index       look through the sessions themselves\n"
    "      --index FILE     the index\n"
    "      --db FILE        the evidence database\n"
    "      --config FILE    the configuration\n"
    "  -h, --help           this\n"
    "\n"
    "A line is: the session, when (local time) and who, where (output, screen, typed), and what.\n"
    "Exit status: 0 something was found, 1 nothing or an error, 2 usage.\n"
    "\n"
    "Examples:\n"
    "  ttytrail search 'rm .*motd' --since yesterday\n"
    "  ttytrail search -F '/etc/motd' user alice\n"
    "  ttytrail search --json --in typed sudo | jq -r .session | sort -u\n";

struct options {
    struct cmd_common common;
    const char *since, *until, *index, *pattern;
    bool json, fixed, icase, update, no_index;
    bool output, screens, input;
    uint64_t limit;
};

struct showing {
    const struct options *o;
    struct buf line;
    uint64_t hits;
    bool colour, bar, drawn;
    uint64_t drawn_us;
    struct error *err;
};

/* ---- progress ---- */

static void clear_bar(struct showing *s)
{
    if (s->drawn) {
        (void)fputs("\r\033[K", stderr);
        s->drawn = false;
    }
}

static void draw_bar(struct showing *s, const char *what, int64_t done, int64_t all)
{
    uint64_t now = clock_boot_us();

    if (!s->bar || now - s->drawn_us < BAR_US) {
        return;
    }
    if (all > 0) {
        (void)fprintf(stderr, "\r\033[K%s: %" PRId64 " of %" PRId64, what, done, all);
    } else {
        (void)fprintf(stderr, "\r\033[K%s: %" PRId64, what, done);
    }
    (void)fflush(stderr);
    s->drawn = true;
    s->drawn_us = now;
}

static int on_update(void *user, const struct index_progress *p)
{
    draw_bar(user, "ttytrail: reading sessions into the index", p->sessions, p->all);
    return 0;
}

static void on_progress(void *user, int64_t done, int64_t all)
{
    draw_bar(user, "ttytrail: searching", done, all);
}

/* ---- hits ---- */

static const char *kind_word(enum seen_kind k)
{
    return k == SEEN_OUTPUT ? "output" : k == SEEN_SCREEN ? "screen" : "typed";
}

/* What a terminal would act on, or that hides text, as \xNN: a recording must not reach it. */
static int put_shown(struct showing *s, const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;

    for (size_t at = 0; at < len;) {
        size_t n = utf8_printable(p + at, len - at);
        int rc = n > 0 ? buf_append(&s->line, p + at, n, s->err)
                       : buf_printf(&s->line, s->err, "\\x%02x", p[at]);

        if (rc != 0) {
            return -1;
        }
        at += n > 0 ? n : 1;
    }
    return 0;
}

static void local_text(int64_t us, char *ret, size_t size)
{
    time_t s = (time_t)(us / 1000000);
    struct tm tm;

    if (localtime_r(&s, &tm) == NULL || strftime(ret, size, "%Y-%m-%d %H:%M:%S", &tm) == 0) {
        (void)snprintf(ret, size, "?");
    }
}

static int put_text(struct showing *s, const struct search_hit *h)
{
    char hex[2 * CHAIN_ID + 1], when[40], at[24];
    int64_t us = h->session->started_us + (int64_t)h->line->t_us;
    int64_t t = (int64_t)(h->line->t_us / 1000000);

    local_text(us, when, sizeof when);
    (void)snprintf(at, sizeof at, "%" PRId64 ":%02d:%02d", t / 3600, (int)(t / 60 % 60),
                   (int)(t % 60));
    return buf_printf(&s->line, s->err, "%.*s  %s  ", ID_DIGITS,
                      io_hex(h->session->id, CHAIN_ID, hex), when) != 0 ||
                   put_shown(s, h->session->user, strlen(h->session->user)) != 0 ||
                   buf_printf(&s->line, s->err, "  +%s  %-6s  ", at, kind_word(h->line->kind)) !=
                       0 ||
                   put_shown(s, h->line->text, h->from) != 0 ||
                   buf_puts(&s->line, s->colour ? "\033[1;31m" : "", s->err) != 0 ||
                   put_shown(s, h->line->text + h->from, h->to - h->from) != 0 ||
                   buf_puts(&s->line, s->colour ? "\033[m" : "", s->err) != 0 ||
                   put_shown(s, h->line->text + h->to, h->line->len - h->to) != 0
               ? -1
               : buf_putc(&s->line, '\n', s->err);
}

static int put_json(struct showing *s, const struct search_hit *h)
{
    char hex[2 * CHAIN_ID + 1], when[40];
    int64_t us = h->session->started_us + (int64_t)h->line->t_us;

    clock_format_utc(us, "%Y-%m-%dT%H:%M:%SZ", when, sizeof when);
    return buf_printf(&s->line, s->err,
                      "{\"session\":\"%s\",\"time\":\"%s\",\"time_us\":%" PRId64 ",\"at\":%" PRIu64
                      ".%06" PRIu64 ",\"where\":\"%s\",\"user\":",
                      io_hex(h->session->id, CHAIN_ID, hex), when, us, h->line->t_us / 1000000,
                      h->line->t_us % 1000000, kind_word(h->line->kind)) != 0 ||
                   json_string(&s->line, h->session->user, s->err) != 0 ||
                   buf_puts(&s->line, ",\"host\":", s->err) != 0 ||
                   json_string(&s->line, h->session->host, s->err) != 0 ||
                   buf_puts(&s->line, ",\"title\":", s->err) != 0 ||
                   json_string(&s->line, h->session->title, s->err) != 0 ||
                   buf_printf(&s->line, s->err, ",\"from\":%zu,\"to\":%zu,\"line\":", h->from,
                              h->to) != 0 ||
                   json_string_n(&s->line, h->line->text, h->line->len, s->err) != 0
               ? -1
               : buf_puts(&s->line, "}\n", s->err);
}

static int on_hit(void *user, const struct search_hit *h)
{
    struct showing *s = user;
    int rc;

    clear_bar(s);
    buf_reset(&s->line);
    rc = s->o->json ? put_json(s, h) : put_text(s, h);
    if (rc == 0) {
        rc = io_write_all(STDOUT_FILENO, buf_data(&s->line), s->line.len, s->err);
    }
    s->hits++;
    return rc != 0 ? -1 : s->o->limit > 0 && s->hits >= s->o->limit;
}

/* ---- the index ---- */

/* Without an index a search only takes longer: why there is none is said once. */
static struct index *open_index(struct showing *s, struct reader *r, const char *db)
{
    struct error err = {.kind = ERR_NONE};
    struct index *x = NULL;
    char path[4096];

    if (s->o->no_index) {
        return NULL;
    }
    if (search_place(s->o->index, db, path, sizeof path, &err) != 0 ||
        index_open(&x, path, &err) != 0) {
        (void)fprintf(stderr, "ttytrail: without an index: %s\n", err.text);
        return NULL;
    }
    if (index_update(x, r, on_update, s, &err) != 0) {
        clear_bar(s);
        (void)fprintf(stderr, "ttytrail: the index is not up to date: %s\n", err.text);
    }
    clear_bar(s);
    return x;
}

/* ---- the command ---- */

static int search(const struct options *o, const struct expression *e, struct showing *s,
                  struct error *err)
{
    struct search what = {.expression = e,
                          .pattern = o->pattern,
                          .fixed = o->fixed,
                          .icase = o->icase,
                          .output = o->output,
                          .screens = o->screens,
                          .input = o->input,
                          .hit = on_hit,
                          .progress = on_progress,
                          .user = s};
    char db[4096];
    int rc = -1;

    if (cmd_db_path(&o->common, db, sizeof db, err) == 0 &&
        evidence_open(&o->common, &what.reader, err) == 0) {
        what.index = open_index(s, what.reader, db);
        rc = o->update ? (what.index != NULL ? 0 : err_set(err, ERR_SYSTEM, "no index"))
                       : search_run(&what, err);
        clear_bar(s);
    }
    index_close(what.index);
    reader_close(what.reader);
    return rc;
}

static int take_where(struct options *o, const char *list)
{
    while (*list != '\0') {
        size_t n = strcspn(list, ",");

        if (n == 6 && strncmp(list, "output", n) == 0) {
            o->output = true;
        } else if (n == 6 && strncmp(list, "screen", n) == 0) {
            o->screens = true;
        } else if (n == 5 && strncmp(list, "typed", n) == 0) {
            o->input = true;
        } else {
            return cmd_usage(&cmd_search, "--in %s: there are output, screen, typed", list);
        }
        list += n + (list[n] == ',');
    }
    return CMD_DONE;
}

static int take_limit(struct options *o, const char *text)
{
    char *end;

    errno = 0;
    o->limit = strtoull(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || text[0] == '-' || o->limit == 0
               ? cmd_usage(&cmd_search, "--limit %s: a number from 1 up is needed", text)
               : CMD_DONE;
}

enum { OPT_IN = 1, OPT_UPDATE, OPT_NO_INDEX, OPT_INDEX };

static int take(struct options *o, int opt, const char *arg)
{
    switch (opt) {
    case 'F':
        o->fixed = true;
        break;
    case 'i':
        o->icase = true;
        break;
    case 'j':
        o->json = true;
        break;
    case 'n':
        return take_limit(o, arg);
    case 'S':
        o->since = arg;
        break;
    case 'U':
        o->until = arg;
        break;
    case OPT_IN:
        return take_where(o, arg);
    case OPT_UPDATE:
        o->update = true;
        break;
    case OPT_NO_INDEX:
        o->no_index = true;
        break;
    default:
        o->index = arg;
        break;
    }
    return CMD_DONE;
}

/* The words and --since, --until as one expression. */
static int parse_expression(const struct options *o, int argc, char **argv, struct expression **ret,
                            struct error *err)
{
    char *words[EXPRESSION_MAX_NODES];
    int n = 0;

    if (argc > EXPRESSION_MAX_NODES - 16) {
        return err_set(err, ERR_USAGE, "the expression is too long");
    }
    if (o->since != NULL) {
        words[n++] = (char *)(uintptr_t) "from";
        words[n++] = (char *)(uintptr_t)o->since;
    }
    if (o->until != NULL) {
        words[n++] = (char *)(uintptr_t) "to";
        words[n++] = (char *)(uintptr_t)o->until;
    }
    if (n > 0 && argc > 0) {
        words[n++] = (char *)(uintptr_t) "(";
    }
    for (int i = 0; i < argc; i++) {
        words[n++] = argv[i];
    }
    if (n > argc && argc > 0) {
        words[n++] = (char *)(uintptr_t) ")";
    }
    return expression_parse(ret, n, words, err);
}

static int run(int argc, char **argv)
{
    static const struct option longs[] = {{"fixed-strings", no_argument, NULL, 'F'},
                                          {"ignore-case", no_argument, NULL, 'i'},
                                          {"in", required_argument, NULL, OPT_IN},
                                          {"limit", required_argument, NULL, 'n'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"since", required_argument, NULL, 'S'},
                                          {"until", required_argument, NULL, 'U'},
                                          {"update", no_argument, NULL, OPT_UPDATE},
                                          {"no-index", no_argument, NULL, OPT_NO_INDEX},
                                          {"index", required_argument, NULL, OPT_INDEX},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    struct options o = {.json = false};
    struct error err = {.kind = ERR_NONE};
    struct showing s = {.o = &o, .colour = cmd_colour(STDOUT_FILENO), .err = &err};
    struct expression *e = NULL;
    int opt, rc;

    argv[0] = (char *)"ttytrail search"; /* as getopt's own messages begin */
    while ((opt = getopt_long(argc, argv, "Fin:jS:U:h", longs, NULL)) != -1) {
        rc = cmd_common_option(&cmd_search, opt == 'h' ? CMD_OPT_HELP : opt, &o.common);
        if (rc == -2) {
            rc = take(&o, opt, optarg);
            rc = rc == CMD_DONE ? -1 : rc;
        }
        if (rc >= 0) {
            return rc;
        }
    }
    if (!o.output && !o.screens && !o.input) {
        o.output = o.screens = o.input = true;
    }
    if (!o.update && optind == argc) {
        return cmd_usage(&cmd_search, "what is to be found?");
    }
    o.pattern = o.update ? NULL : argv[optind++];
    if (parse_expression(&o, argc - optind, argv + optind, &e, &err) != 0) {
        return err.kind == ERR_USAGE ? cmd_usage(&cmd_search, "%s", err.text) : cmd_fail(&err);
    }
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* recordings are, whatever the caller is */
    s.bar = cmd_terminal(STDERR_FILENO);
    buf_init(&s.line, LINE_BYTES);
    rc = evidence_config_check(&o.common, &err) != 0 || search(&o, e, &s, &err) < 0 ? cmd_fail(&err)
         : s.hits > 0 || o.update                                                   ? CMD_DONE
                                                                                    : CMD_FAILED;
    expression_free(e);
    buf_clear(&s.line);
    return rc;
}

const struct cmd cmd_search = {
    .name = "search",
    .summary = "find what was seen or typed",
    .help = help,
    .run = run,
};
