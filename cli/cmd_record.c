/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "common/io.h"
#include "recorder/recorder.h"
#include "recorder/session.h"
#include "storage/wire/spawn.h"

#define REFUSED 125

enum { OPT_SOCKET = 1, OPT_TITLE, OPT_INPUT, OPT_QUIET };

static const char help[] =
    "Usage: ttytrail record [OPTION...] [--] [COMMAND [ARGUMENT...]]\n\n"
    "Records COMMAND (by default your shell) until it ends.  What is on your screen is\n"
    "already in the recording.  Without a terminal stdin, stdout and stderr pass apart\n"
    "and unchanged.\n\n"
    "  --db FILE         the database to record into (default: your own)\n"
    "  --socket PATH     record through the writer that listens there instead\n"
    "  --title TEXT      a name for the session\n"
    "  --input=on|off    record the keyboard; what is typed at password prompts never is\n"
    "  --quiet           no notices\n"
    "  --config FILE     read instead of ttytrail.conf\n\n"
    "Exits as COMMAND does; 125 when nothing can be recorded, 126 when COMMAND cannot be\n"
    "run, 127 when there is none.\n\n"
    "Examples:\n"
    "  ttytrail record\n"
    "  ttytrail record --title 'upgrade of db1' -- ssh db1\n";

struct record_options {
    struct cmd_common common;
    const char *socket, *title;
    int input;
    bool quiet;
    char **command;
    char db[4096], config[4096];
};

/* How the writer is reached, at the start and again after it was lost. */
static int reach_writer(void *user, struct error *err)
{
    const struct record_options *o = user;

    if (o->socket != NULL) {
        return client_connect_path(o->socket, err);
    }
    return spawn_writer(o->db, o->config[0] != '\0' ? o->config : NULL, err);
}

static int parse_input(const char *word)
{
    return strcmp(word, "on") == 0 ? 1 : strcmp(word, "off") == 0 ? 0 : -1;
}

/* -1 go on, else the exit status. */
static int parse(struct record_options *o, int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, OPT_SOCKET},
        {"title", required_argument, NULL, OPT_TITLE},
        {"input", required_argument, NULL, OPT_INPUT},
        {"quiet", no_argument, NULL, OPT_QUIET},
        CMD_COMMON_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int opt;

    o->input = -1;
    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        int common = cmd_common_option(&cmd_record, opt, &o->common);

        if (common >= 0) {
            return common;
        }
        if (common == -1) {
            continue;
        }
        if (opt == OPT_SOCKET) {
            o->socket = optarg;
        } else if (opt == OPT_TITLE) {
            o->title = optarg;
        } else if (opt == OPT_QUIET) {
            o->quiet = true;
        } else if ((o->input = parse_input(optarg)) < 0) {
            return cmd_usage(&cmd_record, "--input is on or off, not '%.20s'", optarg);
        }
    }
    if (o->socket != NULL && o->common.db != NULL) {
        return cmd_usage(&cmd_record, "--socket and --db exclude each other");
    }
    o->command = argv + optind;
    return -1;
}

/* The private writer starts in /, so that what it is told must not depend on where we stand. */
static int find_paths(struct record_options *o, struct error *err)
{
    if (o->socket != NULL) {
        return 0;
    }
    if (o->common.config != NULL && realpath(o->common.config, o->config) == NULL) {
        return err_sys(err, "configuration %.100s", o->common.config);
    }
    if (o->common.db != NULL) {
        return cmd_db_path(&o->common, o->db, sizeof o->db, err);
    }
    /* Reading may fall on the installed database; recording into it is its own writer's business.
     */
    return spawn_default_db(o->db, sizeof o->db, err);
}

/* ---- notices, for people alone ---- */

static void notice_start(void *user, const uint8_t session[16])
{
    const struct record_options *o = user;
    char hex[33];

    if (!o->quiet && isatty(STDERR_FILENO) == 1) {
        (void)fprintf(stderr, "ttytrail: recording session %s\n", io_hex(session, 16, hex));
    }
}

static void notice_end(const struct record_options *o, const uint8_t session[16])
{
    char hex[33];
    bool own = o->common.db == NULL;

    if (!o->quiet && isatty(STDERR_FILENO) == 1) {
        (void)fprintf(stderr, "ttytrail: recorded; see it again: ttytrail play %s%s%s%.8s\n",
                      own ? "" : "--db '", own ? "" : o->db, own ? "" : "' ",
                      io_hex(session, 16, hex));
    }
}

static int record(struct record_options *o, struct recorder_result *result, struct error *err)
{
    char *shell = getenv("SHELL");
    char *by_default[] = {shell != NULL && *shell == '/' ? shell : (char *)(uintptr_t) "/bin/sh",
                          NULL};
    struct recorder_config config = {
        .connect = reach_writer,
        .connect_user = o,
        .argv = o->command[0] != NULL ? o->command : by_default,
        .title = o->title,
        .way_in = "record",
        .input = o->input,
        .on_open = notice_start,
        .on_open_user = o,
    };
    struct buf json;
    int rc = -1;

    buf_init(&json, 32768);
    if (session_command(&json, config.argv, err) == 0) {
        config.command_json = buf_text(&json, err);
        rc = recorder_run(&config, result, err);
    }
    buf_clear(&json);
    return rc;
}

static int run(int argc, char **argv)
{
    struct record_options o = {.socket = NULL};
    struct recorder_result result = {.wait_status = 0};
    struct error err = {.kind = ERR_NONE};
    int status = parse(&o, argc, argv);

    if (status >= 0) {
        return status;
    }
    if (find_paths(&o, &err) != 0) {
        (void)cmd_fail(&err);
        return REFUSED;
    }
    if (record(&o, &result, &err) != 0) {
        (void)cmd_fail(&err);
        return recorder_refusal(&err);
    }
    notice_end(&o, result.session);
    recorder_exit(result.wait_status);
}

const struct cmd cmd_record = {
    .name = "record",
    .summary = "record a command or your shell",
    .help = help,
    .run = run,
};
