/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail export: a session for other programs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "replay/export/export.h"
#include "storage/db/reader.h"

struct options {
    struct cmd_common common;
    const char *format, *stream, *output, *timing, *session;
};

/* Where the bytes go: stdout, something that is no regular file, or a file that takes its name only
 * when it is whole. */
struct target {
    int fd;
    const char *path;
    char *temporary; /* NULL: no rename at the end */
};

static int open_target(struct target *t, const char *path, struct error *err)
{
    struct stat st;

    *t = (struct target){.fd = STDOUT_FILENO, .path = path};
    if (path == NULL || strcmp(path, "-") == 0) {
        return 0;
    }
    /* Links are followed to learn what is meant (/dev/stdout is one), and replaced, not written
     * through. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode)) {
            return err_set(err, ERR_USAGE, "%s is a directory", path);
        }
        t->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return t->fd < 0 ? err_sys(err, "open %s", path) : 0;
    }
    if (asprintf(&t->temporary, "%s.XXXXXX", path) < 0) {
        t->temporary = NULL;
        return err_sys(err, "name a file");
    }
    t->fd = mkostemp(t->temporary, O_CLOEXEC); /* 0600: what was typed and seen is in it */
    if (t->fd < 0) {
        (void)err_sys(err, "create %s", path);
        free(t->temporary);
        t->temporary = NULL;
        return -1;
    }
    return 0;
}

/* Give the file its name, or with ${keep} false throw it away. */
static int close_target(struct target *t, bool keep, struct error *err)
{
    int result = 0;

    if (t->fd > STDERR_FILENO && close(t->fd) != 0 && keep) {
        result = err_sys(err, "close %s", t->path);
        keep = false;
    }
    if (t->temporary != NULL) {
        if (keep && rename(t->temporary, t->path) != 0) {
            result = err_sys(err, "rename to %s", t->path);
            keep = false;
        }
        if (!keep) {
            (void)unlink(t->temporary);
        }
        free(t->temporary);
    }
    return result;
}

static void report_gap(void *user, const struct error *what)
{
    unsigned *gaps = user;

    (*gaps)++;
    (void)cmd_fail(what);
}

static int export_session(const struct options *o, const struct export_format *format,
                          unsigned *ret_gaps, struct error *err)
{
    struct reader *reader = NULL;
    struct session_row session;
    struct target target = {.fd = -1}, timing = {.fd = -1};
    struct kept kept = {0, 0, 0, 0};
    char text[200];
    int result = -1;

    session_row_init(&session);
    if (evidence_open(&o->common, &reader, err) != 0 ||
        reader_find(reader, o->session, &session, err) != 0 ||
        open_target(&target, o->output, err) != 0) {
        goto out;
    }
    if (o->timing != NULL && open_target(&timing, o->timing, err) != 0) {
        (void)close_target(&target, false, err);
        goto out;
    }
    struct export_request request = {
        .reader = reader,
        .session = &session,
        .fd = target.fd,
        .timing_fd = timing.fd,
        .stream = o->stream == NULL || o->stream[0] == 'o' ? 'o' : o->stream[0],
        .gap = report_gap,
        .user = ret_gaps,
        .kept = &kept,
    };
    result = format->run(&request, err);
    if (o->timing != NULL && close_target(&timing, result == 0, err) != 0) {
        result = -1;
    }
    if (close_target(&target, result == 0, err) != 0) {
        result = -1;
    }
    if (result == 0 && kept_text(&kept, text, sizeof text)) {
        (void)fprintf(stderr, "ttytrail: %s\n", text);
    }
out:
    session_row_clear(&session);
    reader_close(reader);
    return result;
}

static int check(struct options *o, int argc, char **argv)
{
    static const char *const streams[] = {"output", "input", "error"};

    if (argc - optind != 1) {
        return cmd_usage(&cmd_export, argc == optind ? "which session? (an id, or last)"
                                                     : "one session at a time");
    }
    o->session = argv[optind];
    if (o->format == NULL) {
        return cmd_usage(
            &cmd_export,
            "--format is needed: cast, cast3, raw, json, script, text, tlog or ttyrec");
    }
    if ((strcmp(o->format, "script") == 0) != (o->timing != NULL)) {
        return cmd_usage(&cmd_export, o->timing != NULL ? "--timing goes with --format script"
                                                        : "--format script needs --timing FILE");
    }
    if (o->stream == NULL) {
        return CMD_DONE;
    }
    if (strcmp(o->format, "raw") != 0) {
        return cmd_usage(&cmd_export, "--stream goes with --format raw");
    }
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        if (strcmp(o->stream, streams[i]) == 0) {
            return CMD_DONE;
        }
    }
    return cmd_usage(&cmd_export, "--stream %s: there are output, input, error", o->stream);
}

static int run(int argc, char **argv)
{
    static const struct option long_options[] = {{"format", required_argument, NULL, 'f'},
                                                 {"stream", required_argument, NULL, 's'},
                                                 {"output", required_argument, NULL, 'o'},
                                                 {"timing", required_argument, NULL, 't'},
                                                 CMD_COMMON_OPTIONS,
                                                 {NULL, 0, NULL, 0}};
    struct options o = {.format = NULL};
    const struct export_format *format;
    struct error err;
    unsigned gaps = 0;
    int opt, rc;

    argv[0] = (char *)"ttytrail export"; /* as getopt's own messages begin */
    while ((opt = getopt_long(argc, argv, "f:s:o:t:h", long_options, NULL)) != -1) {
        rc = cmd_common_option(&cmd_export, opt == 'h' ? CMD_OPT_HELP : opt, &o.common);
        if (rc >= 0) {
            return rc;
        }
        if (rc == -2) {
            *(opt == 'f'   ? &o.format
              : opt == 's' ? &o.stream
              : opt == 't' ? &o.timing
                           : &o.output) = optarg;
        }
    }
    rc = check(&o, argc, argv);
    if (rc != CMD_DONE) {
        return rc;
    }
    err_clear(&err);
    format = export_format(o.format, &err);
    if (format == NULL || evidence_config_check(&o.common, &err) != 0 ||
        export_session(&o, format, &gaps, &err) != 0) {
        return cmd_fail(&err);
    }
    return gaps > 0 ? CMD_FAILED : CMD_DONE;
}

const struct cmd cmd_export = {
    .name = "export",
    .summary = "write a session for other programs",
    .help =
        "Usage: ttytrail export [OPTION...] --format FORMAT SESSION\n"
        "\n"
        "Writes a session to stdout or a file.  SESSION is an id, the beginning of one (four "
        "digits\n"
        "or more), last, or title:TITLE.\n"
        "\n"
        "Options:\n"
        "  -f, --format F   cast: asciicast v2, the lines as stored; plays in asciinema\n"
        "                   cast3: asciicast v3\n"
        "                   json: events, one object a line\n"
        "                   script: a typescript, with --timing for scriptreplay\n"
        "                   text: what was seen, line by line, without colours\n"
        "                   tlog: messages that tlog-play reads\n"
        "                   ttyrec: output alone, for ttyplay\n"
        "                   raw: the bytes of one stream, nothing else: the exact ones of a\n"
        "                   terminal; without one, of long bursts both ends only (stderr says so)\n"
        "  -s, --stream S   of raw: output (default), input, error\n"
        "  -t, --timing FILE  of script: the timing file\n"
        "  -o, --output FILE  to FILE (mode 0600), which appears when it is whole\n"
        "      --db FILE    the evidence database\n"
        "      --config FILE  the configuration\n"
        "  -h, --help       this\n"
        "\n"
        "A damaged part is left out, named on stderr, and the exit status is 1; in a cast a mark\n"
        "stands in its place.  Formats html and commands are not built yet.\n"
        "\n"
        "Examples:\n"
        "  ttytrail export --format cast -o session.cast last\n"
        "  ttytrail export --format script -o typescript --timing timing last\n"
        "  ttytrail export --format raw --stream input 3f9a21c0 | less\n",
    .run = run,
};
