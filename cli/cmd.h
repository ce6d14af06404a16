/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command is, and what all of them share: --db, --config, --help, the error line, exit
 * status. 0 done, 1 failed, 2 usage; exceptions stand in the command's own manual section.
 */
#ifndef TTYTRAIL_CLI_CMD_H
#define TTYTRAIL_CLI_CMD_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/err.h"

#define CMD_DONE   0
#define CMD_FAILED 1
#define CMD_USAGE  2

struct cmd {
    const char *name;
    const char *summary;               /* one line for `ttytrail --help` */
    const char *help;                  /* all of `ttytrail NAME --help`, with examples */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct cmd cmd_record, cmd_list, cmd_export, cmd_play, cmd_verify, cmd_ship, cmd_prune;
extern const struct cmd cmd_status, cmd_import, cmd_search, cmd_correlate, cmd_who;
extern const struct cmd cmd_print_policy, cmd_doctor;

/* Options every command takes.  Values above 255 so that they never meet a letter. */
enum { CMD_OPT_DB = 1000, CMD_OPT_CONFIG, CMD_OPT_HELP };
#define CMD_COMMON_OPTIONS                                                                         \
    {"db", required_argument, NULL, CMD_OPT_DB},                                                   \
        {"config", required_argument, NULL, CMD_OPT_CONFIG},                                       \
    {                                                                                              \
        "help", no_argument, NULL, CMD_OPT_HELP                                                    \
    }

struct cmd_common {
    const char *db, *config; /* as given; NULL when not */
};

/** cmd_common_option(cmd, opt, common): Handle one getopt_long result: -1 it was a common option
 * and is handled; else the exit status to return at once (0 after --help, CMD_USAGE for '?'), or -2
 * when the option is the command's own. */
int cmd_common_option(const struct cmd *cmd, int opt, struct cmd_common *common);
/** cmd_usage(cmd, fmt, ...): One specific line to stderr and where to read more; returns CMD_USAGE.
 */
int cmd_usage(const struct cmd *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** cmd_fail(err): "ttytrail: <text>" to stderr; returns CMD_FAILED (CMD_USAGE for ERR_USAGE). */
int cmd_fail(const struct error *err);
/** cmd_db_path(common, ret, size, err): --db made absolute; else the installed database when
 * readable, else the user's own (spawn_default_db). */
int cmd_db_path(const struct cmd_common *common, char *ret, size_t size, struct error *err);
/** cmd_terminal(fd): Whether ${fd} is a terminal on which a line can be drawn over. */
bool cmd_terminal(int fd);
/** cmd_colour(fd): Whether to colour on ${fd}: a terminal, no NO_COLOR, TERM not "dumb". */
bool cmd_colour(int fd);

#endif
