/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail play: see a session again. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "replay/play.h"
#include "storage/db/reader.h"

#define DEFAULT_IDLE_US 2000000
#define MAX_IDLE_S      1e9

enum { OPT_GOTO = 256 };

struct options {
    struct cmd_common common;
    struct play_config play;
    const char *what;
};

/* What is played, and what has to be closed after it. */
struct subject {
    struct reader *reader;
    struct timeline *timeline;
};

static int open_session(struct subject *s, const struct options *o, struct error *err)
{
    struct session_row session;
    int result = -1;

    session_row_init(&session);
    if (evidence_open(&o->common, &s->reader, err) == 0 &&
        reader_find(s->reader, o->what, &session, err) == 0) {
        result = timeline_open_session(&s->timeline, s->reader, &session, err);
    }
    session_row_clear(&session);
    return result;
}

static int open_file(struct subject *s, const char *path, struct error *err)
{
    if (evidence_is_database(path)) {
        return err_set(err, ERR_USAGE, "%s is a database: say --db %s and which session", path,
                       path);
    }
    return timeline_open_file(&s->timeline, path, err);
}

/* "-", a path with a slash, a file that is there, or a name with a dot that is not there: no id has
 * one. */
static bool means_file(const char *what)
{
    struct stat st;

    return strcmp(what, "-") == 0 || strchr(what, '/') != NULL ||
           (stat(what, &st) == 0 && !S_ISDIR(st.st_mode)) || strchr(what, '.') != NULL;
}

static int open_subject(struct subject *s, const struct options *o, struct error *err)
{
    const char *what = o->what;
    struct stat st;

    if (strncmp(what, "s3://", 5) == 0 || strncmp(what, "https://", 8) == 0) {
        return err_set(err, ERR_USAGE, "playing from a bucket: not built yet");
    }
    if (strncmp(what, "file://", 7) == 0) {
        what += 7;
        if (stat(what, &st) == 0 && S_ISDIR(st.st_mode)) {
            return err_set(err, ERR_USAGE, "playing from a shipped directory: not built yet");
        }
        return open_file(s, what, err);
    }
    if (strncmp(what, "title:", 6) != 0 && means_file(what)) {
        return open_file(s, what, err);
    }
    return open_session(s, o, err);
}

static void close_subject(struct subject *s)
{
    timeline_close(s->timeline);
    reader_close(s->reader);
}

static void warn_small(const struct timeline_head *head)
{
    struct winsize size;

    if (isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        (size.ws_col < head->cols || size.ws_row < head->rows)) {
        (void)fprintf(stderr,
                      "ttytrail: recorded on %u columns and %u rows, this terminal has %u and %u\n",
                      head->cols, head->rows, size.ws_col, size.ws_row);
    }
}

static void report_gap(void *user, const struct error *what)
{
    (void)user;
    (void)cmd_fail(what);
}

static void tell_of(const struct play_result *result)
{
    char text[200];

    if (result->ended && kept_text(&result->kept, text, sizeof text)) {
        (void)fprintf(stderr, "ttytrail: %s\n", text);
    }
    if (result->gaps > 0) {
        (void)fprintf(stderr, "ttytrail: %u damaged part%s left out\n", result->gaps,
                      result->gaps == 1 ? " was" : "s were");
    }
}

/* Die as the signal would have had it, so that the caller's shell sees it. */
static void die_of(int number)
{
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static int play(struct options *o, struct error *err)
{
    struct subject subject = {NULL, NULL};
    struct play_result result = {.signal = 0};
    int rc;

    o->play.gap = report_gap;
    rc = open_subject(&subject, o, err);
    if (rc == 0) {
        warn_small(timeline_head(subject.timeline));
        rc = play_run(subject.timeline, &o->play, &result, err);
    }
    close_subject(&subject);
    if (rc != 0) {
        return cmd_fail(err);
    }
    tell_of(&result);
    if (result.signal != 0) {
        die_of(result.signal);
    }
    return result.gaps > 0 ? CMD_FAILED : CMD_DONE;
}

/* "2", "2x", "0.5". */
static int parse_speed(const char *text, double *ret)
{
    char *end;
    double speed = strtod(text, &end);

    if (end != text && (*end == 'x' || *end == 'X')) {
        end++;
    }
    if (end == text || *end != '\0' || !isfinite(speed) || speed <= 0) {
        return -1;
    }
    *ret = speed;
    return 0;
}

static int parse_seconds(const char *text, uint64_t *ret_us)
{
    char *end;
    double s = strtod(text, &end);

    if (end == text || *end != '\0' || !(s >= 0) || s > MAX_IDLE_S) {
        return -1;
    }
    *ret_us = (uint64_t)(s * 1e6);
    return 0;
}

/* One option of our own; an exit status, or -1 to go on. */
static int take_option(struct options *o, int opt)
{
    switch (opt) {
    case 's':
        if (parse_speed(optarg, &o->play.speed) != 0) {
            return cmd_usage(&cmd_play, "--speed %s: a number above 0 is needed", optarg);
        }
        return -1;
    case 'i':
    case 'm':
        if (parse_seconds(optarg, &o->play.idle_limit_us) != 0) {
            return cmd_usage(&cmd_play, "--idle-time-limit %s: seconds are needed (0: no limit)",
                             optarg);
        }
        return -1;
    case 'n':
        o->play.keys = false;
        return -1;
    case 'r':
        o->play.raw = true;
        return -1;
    default:
        (void)fprintf(stderr, "ttytrail: play %s: not built yet\n",
                      opt == OPT_GOTO ? "--goto" : "--follow");
        return CMD_USAGE;
    }
}

static int run(int argc, char **argv)
{
    static const struct option long_options[] = {{"speed", required_argument, NULL, 's'},
                                                 {"idle-time-limit", required_argument, NULL, 'i'},
                                                 {"max-wait", required_argument, NULL, 'm'},
                                                 {"maxdelay", required_argument, NULL, 'm'},
                                                 {"non-interactive", no_argument, NULL, 'n'},
                                                 {"raw", no_argument, NULL, 'r'},
                                                 {"goto", required_argument, NULL, OPT_GOTO},
                                                 {"follow", no_argument, NULL, 'f'},
                                                 CMD_COMMON_OPTIONS,
                                                 {NULL, 0, NULL, 0}};
    struct options o = {.play = {.speed = 1, .idle_limit_us = DEFAULT_IDLE_US, .keys = true}};
    struct error err;
    int opt;

    argv[0] = (char *)"ttytrail play"; /* as getopt's own messages begin */
    while ((opt = getopt_long(argc, argv, "s:i:m:ng:fh", long_options, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_play, opt == 'h' ? CMD_OPT_HELP : opt, &o.common);

        if (rc == -2) {
            rc = take_option(&o, opt == 'g' ? OPT_GOTO : opt);
        }
        if (rc >= 0) {
            return rc;
        }
    }
    if (argc - optind != 1) {
        return cmd_usage(&cmd_play, argc == optind ? "what? (a session's id, last, or a .cast file)"
                                                   : "one recording at a time");
    }
    o.what = argv[optind];
    err_clear(&err);
    return evidence_config_check(&o.common, &err) != 0 ? cmd_fail(&err) : play(&o, &err);
}

const struct cmd cmd_play = {
    .name = "play",
    .summary = "see a session again",
    .help =
        "Usage: ttytrail play [OPTION...] SESSION|FILE|-\n"
        "\n"
        "Plays a session of the database (an id, the beginning of one, last, title:TITLE), or an\n"
        "asciicast v2 file, plain or gzip (- reads it from stdin, also while it is being "
        "written).\n"
        "A name that is a file's is taken for that.\n"
        "\n"
        "Options:\n"
        "  -s, --speed N    2 (or 2x) is twice as fast, 0.5 half\n"
        "  -i, --idle-time-limit S  no wait is longer than S seconds (default 2; 0: as recorded);\n"
        "                   also -m, --max-wait, --maxdelay\n"
        "  -n, --non-interactive  take no keys (so it is where stdout is no terminal)\n"
        "      --raw        let everything through to this terminal, also what answers, writes "
        "the\n"
        "                   clipboard, or changes its settings\n"
        "      --db FILE    the evidence database\n"
        "      --config FILE  the configuration\n"
        "  -h, --help       this\n"
        "\n"
        "Keys: space pause and go on, . next event, Enter do not wait for the next event,\n"
        "+ } > twice as fast, - { < half as fast, Backspace as at first, q or ^C quit.\n"
        "\n"
        "A damaged part is left out, shown as such, and the exit status is 1.\n"
        "\n"
        "Examples:\n"
        "  ttytrail play last\n"
        "  ttytrail play --speed 4 -i 1 3f9a21c0\n"
        "  zcat part-*.cast.gz | ttytrail play -\n",
    .run = run,
};
