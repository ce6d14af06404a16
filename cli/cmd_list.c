/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail list: which sessions there are. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "common/clock.h"
#include "common/io.h"
#include "replay/expression.h"
#include "replay/listing.h"
#include "storage/db/reader.h"

#define MAX_USER_WIDTH 16U
#define MAX_FLAGS      512U /* bytes of the column */

struct options {
    struct cmd_common common;
    bool json, csv;
    const char *since, *until;
    uint64_t limit; /* 0: none */
    int words;
    char **word;
};

/* Two walks: the first finds what all lines have in common, the second prints line by line; so
 * memory is 16 bytes a session. */
struct walk {
    const struct options *options;
    struct expression *expression;
    struct expression *window; /* --since and --until */
    struct listing listing;
    struct buf line;
    uint8_t (*ids)[CHAIN_ID];
    size_t ids_len, ids_cap;
    uint64_t matches, skip;
    struct error *err;
};

static bool is_meant(const struct walk *w, const struct session_row *s)
{
    return expression_match(w->expression, s) && expression_match(w->window, s);
}

static int first_walk(void *user, const struct session_row *s)
{
    struct walk *w = user;
    size_t user_width = listing_width(s->user, strlen(s->user)), flags_width;
    char flags[MAX_FLAGS];

    if (w->ids_len == w->ids_cap) {
        size_t cap = w->ids_cap == 0 ? 256 : w->ids_cap * 2;
        void *more = reallocarray(w->ids, cap, sizeof *w->ids);

        if (more == NULL) {
            return err_sys(w->err, "list sessions");
        }
        w->ids = more;
        w->ids_cap = cap;
    }
    memcpy(w->ids[w->ids_len++], s->id, CHAIN_ID);
    if (is_meant(w, s)) {
        w->matches++;
        if (user_width > w->listing.user_width) {
            w->listing.user_width = user_width < MAX_USER_WIDTH ? user_width : MAX_USER_WIDTH;
        }
        flags_width = listing_flags(s, flags, sizeof flags);
        if (flags_width > w->listing.flags_width) {
            w->listing.flags_width = flags_width;
        }
    }
    return 0;
}

static int put_line(struct walk *w)
{
    int rc = io_write_all(STDOUT_FILENO, buf_data(&w->line), w->line.len, w->err);

    buf_reset(&w->line);
    return rc;
}

static int second_walk(void *user, const struct session_row *s)
{
    struct walk *w = user;
    int rc;

    if (w->matches == 0 || !is_meant(w, s)) {
        return 0; /* matches 0: those that came since are for the next time */
    }
    w->matches--;
    if (w->skip > 0) {
        w->skip--;
        return 0;
    }
    rc = w->options->json  ? listing_json(&w->listing, &w->line, s, w->err)
         : w->options->csv ? listing_csv(&w->listing, &w->line, s, w->err)
                           : listing_row(&w->listing, &w->line, s, w->err);
    return rc != 0 ? -1 : put_line(w);
}

static size_t terminal_width(void)
{
    struct winsize size;

    if (isatty(STDOUT_FILENO) != 1) {
        return 0;
    }
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static int print_all(struct walk *w, struct reader *r)
{
    if (reader_sessions(r, first_walk, w, w->err) != 0) {
        return -1;
    }
    w->listing.id_digits = listing_id_digits(w->ids, w->ids_len);
    if (w->options->limit > 0 && w->matches > w->options->limit) {
        w->skip = w->matches - w->options->limit;
        (void)fprintf(stderr,
                      "ttytrail: %" PRIu64 " older sessions are not shown (--limit %" PRIu64 ")\n",
                      w->skip, w->options->limit);
    }
    if (w->options->csv && (listing_csv_head(&w->line, w->err) != 0 || put_line(w) != 0)) {
        return -1;
    }
    if (!w->options->json && !w->options->csv && w->matches > 0 &&
        (listing_head(&w->listing, &w->line, w->err) != 0 || put_line(w) != 0)) {
        return -1;
    }
    return reader_sessions(r, second_walk, w, w->err);
}

static int list(const struct options *options, struct expression *expression,
                struct expression *window, struct error *err)
{
    struct walk w = {.options = options, .expression = expression, .window = window, .err = err};
    struct reader *reader = NULL;
    int result = -1;

    buf_init(&w.line, LISTING_LINE);
    w.listing = (struct listing){.user_width = sizeof "USER" - 1,
                                 .flags_width = sizeof "FLAGS" - 1,
                                 .width = terminal_width(),
                                 .now_us = clock_unix_us()};
    if (json_open(&w.listing.json, err) != 0) {
        goto out;
    }
    if (evidence_open(&options->common, &reader, err) != 0) {
        if (err->kind == ERR_SYSTEM && err->code == ENOENT && options->common.db == NULL) {
            (void)cmd_fail(err);
            result = 0; /* an empty list is what there is */
        }
        goto out;
    }
    result = print_all(&w, reader);
out:
    reader_close(reader);
    json_close(w.listing.json);
    free(w.ids);
    buf_clear(&w.line);
    return result;
}

/* --since and --until are `from` and `to`. */
static int parse_window(const struct options *o, struct expression **ret, struct error *err)
{
    char *words[4];
    int n = 0;

    if (o->since != NULL) {
        words[n++] = (char *)(uintptr_t) "from";
        words[n++] = (char *)(uintptr_t)o->since;
    }
    if (o->until != NULL) {
        words[n++] = (char *)(uintptr_t) "to";
        words[n++] = (char *)(uintptr_t)o->until;
    }
    if (expression_parse(ret, n, words, err) == 0) {
        return 0;
    }
    return err_wrap(err, "--since, --until");
}

static int parse_limit(const char *text, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoull(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || text[0] == '-' || *ret == 0 ? -1 : 0;
}

static int run(int argc, char **argv)
{
    static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
                                                 {"limit", required_argument, NULL, 'n'},
                                                 {"csv", no_argument, NULL, 'c'},
                                                 {"since", required_argument, NULL, 'S'},
                                                 {"until", required_argument, NULL, 'U'},
                                                 CMD_COMMON_OPTIONS,
                                                 {NULL, 0, NULL, 0}};
    struct options options = {.json = false};
    struct expression *expression = NULL, *window = NULL;
    struct error err;
    int opt, rc;

    argv[0] = (char *)"ttytrail list"; /* as getopt's own messages begin */
    while ((opt = getopt_long(argc, argv, "jn:S:U:h", long_options, NULL)) != -1) {
        rc = cmd_common_option(&cmd_list, opt == 'h' ? CMD_OPT_HELP : opt, &options.common);

        if (rc >= 0) {
            return rc;
        }
        if (rc == -2 && opt == 'j') {
            options.json = true;
        } else if (rc == -2 && opt == 'c') {
            options.csv = true;
        } else if (rc == -2 && (opt == 'S' || opt == 'U')) {
            *(opt == 'S' ? &options.since : &options.until) = optarg;
        } else if (rc == -2 && parse_limit(optarg, &options.limit) != 0) {
            return cmd_usage(&cmd_list, "--limit %s: a number from 1 up is needed", optarg);
        }
    }
    options.words = argc - optind;
    options.word = argv + optind;
    err_clear(&err);
    if (options.json && options.csv) {
        return cmd_usage(&cmd_list, "--json or --csv, not both");
    }
    if (parse_window(&options, &window, &err) != 0 ||
        expression_parse(&expression, options.words, options.word, &err) != 0) {
        expression_free(window);
        return err.kind == ERR_USAGE ? cmd_usage(&cmd_list, "%s", err.text) : cmd_fail(&err);
    }
    rc = evidence_config_check(&options.common, &err) != 0 ||
                 list(&options, expression, window, &err) != 0
             ? cmd_fail(&err)
             : CMD_DONE;
    expression_free(expression);
    expression_free(window);
    return rc;
}

const struct cmd cmd_list = {
    .name = "list",
    .summary = "which sessions were recorded",
    .help = "Usage: ttytrail list [OPTION...] [EXPRESSION]\n"
            "\n"
            "Lists the recorded sessions, oldest first.  On a terminal the table is fitted to its\n"
            "width; elsewhere nothing is cut.  Times are local.\n"
            "\n"
            "Options:\n"
            "  -j, --json       one JSON object a line, with everything that is known\n"
            "      --csv        lines of CSV, for spreadsheets\n"
            "  -S, --since TIME, -U, --until TIME  as from and to below\n"
            "  -n, --limit N    only the newest N (and say how many are left out)\n"
            "      --db FILE    the evidence database\n"
            "      --config FILE  the configuration\n"
            "  -h, --help       this\n"
            "\n"
            "EXPRESSION, as sudoreplay has it; names may be shortened:\n"
            "  user NAME        the user's name, or uid\n"
            "  host NAME        the host, as in --json\n"
            "  tty NAME         the terminal it came from: pts/3\n"
            "  title TEXT       the title holds TEXT\n"
            "  command REGEX    the command it ran, as in --json\n"
            "  cwd DIR          where it began\n"
            "  way WORD         how they came: login, command, subsystem, su, sudo, console, ssm\n"
            "  ip ADDRESS       from where;  key FINGERPRINT  with which key\n"
            "  exit N           how it ended: a status, signal, signal 9, cut\n"
            "  duration T       lasted T or longer: 90s, 10m, 2h, 1d\n"
            "  state WORD       open, done or cut;  id HEX  its id begins so\n"
            "  from TIME        started at TIME or later\n"
            "  to TIME          started at TIME or earlier (a day, minute or second to its end)\n"
            "  flag WORD        has the flag WORD, one of those below\n"
            "  redactions N     input was left out N times or more, in sealed segments\n"
            "  A B, A and B     both;  A or B  either;  not A, ! A  the opposite;  ( A )\n"
            "TIME is YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS] (local, or UTC with Z behind it), seconds "
            "since\n"
            "1970, or as people write: today, yesterday, monday, 10:30, 'yesterday 22:15', 90m,\n"
            "'2 hours ago', 'last week'.  `and` binds closer than `or`.  The whole may be one "
            "quoted argument; words\n"
            "that begin with - go behind --.\n"
            "\n"
            "STATE is open, done, or cut: recorder or machine died, what it sent is there.\n"
            "FLAGS are:\n"
            "  blind-command      something was typed to a line editor that did not show it\n"
            "  no-echo-region     much was typed in a row without being shown, and left out\n"
            "  token              an access token was shown or typed, and hidden\n"
            "  not-redacted       redact = off: secrets were recorded\n"
            "  lost-input         the recorder was killed while input was undecided\n"
            "  stalled            the recorder did not answer for a while\n"
            "  memory-not-locked  undecided keys could have reached the swap space\n"
            "  left-behind        processes of it ran on after its end\n"
            "  outer-tty-shared   others of its user could have its terminal open\n"
            "  commit-batch       output was shown before it was committed\n"
            "  imported           it was recorded elsewhere, and came from a store\n"
            "  pruned             bytes of it were removed here, after it was shipped\n"
            "\n"
            "Examples:\n"
            "  ttytrail list\n"
            "  ttytrail list user root from 2026-11-01\n"
            "  ttytrail list --since yesterday way login and not exit 0\n"
            "  ttytrail list 'title deploy and not (user alice or user bob)'\n"
            "  ttytrail list flag blind-command or flag no-echo-region or redactions 20\n"
            "  ttytrail list --json --limit 10 | jq -r .id\n",
    .run = run,
};
