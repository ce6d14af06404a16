/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail: the table of commands. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "common/log.h"

static const struct cmd *const commands[] = {
    &cmd_record,       &cmd_list,   &cmd_export,    &cmd_play,   &cmd_verify,
    &cmd_ship,         &cmd_prune,  &cmd_status,    &cmd_import, &cmd_doctor,
    &cmd_print_policy, &cmd_search, &cmd_correlate, &cmd_who,
};

/* Named in the contract of the command line, built by later issues. */
static const char *const later[] = {
    "summary",
    "note",
};

static void print_help(void)
{
    (void)printf("Usage: ttytrail COMMAND [OPTION...]\n\n"
                 "Records terminal sessions, keeps them in SQLite, ships them to S3, plays and\n"
                 "verifies them.  --db FILE and --config FILE are accepted by every command.\n\n"
                 "Commands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        (void)printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)printf("\nTry 'ttytrail COMMAND --help' for one of them, or ttytrail(1).\n\n"
                 "Examples:\n"
                 "  ttytrail record                 record a shell\n"
                 "  ttytrail list                   what was recorded\n"
                 "  ttytrail play last              see it again\n"
                 "  ttytrail search 'rm .*motd'     in which session, by whom and when\n"
                 "  ttytrail who last               which IAM principal that was\n"
                 "  ttytrail verify                 is it all there, unaltered?\n"
                 "  ttytrail ship --to s3://b/p     put it where nobody can alter it\n");
}

static int run_named(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[0], commands[i]->name) == 0) {
            return commands[i]->run(argc, argv);
        }
    }
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        if (strcmp(argv[0], later[i]) == 0) {
            (void)fprintf(stderr, "ttytrail: %s: not built yet\n", argv[0]);
            return CMD_USAGE;
        }
    }
    char name[64];
    (void)fprintf(stderr, "ttytrail: no command '%s'; try 'ttytrail --help'\n",
                  log_escape(argv[0], strnlen(argv[0], 40), name, sizeof name));
    return CMD_USAGE;
}

/* What could not be written was not said: a full disk must not look like success. */
static int finish(int status)
{
    struct error err;

    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return status;
    }
    (void)err_sys(&err, "write to standard output");
    return status == CMD_DONE ? cmd_fail(&err) : status;
}

int main(int argc, char **argv)
{
    log_open("ttytrail", LOG_TO_STDERR, LOG_LEVEL_WARN);
    if (argc < 2) {
        (void)fprintf(stderr, "ttytrail: which command? try 'ttytrail --help'\n");
        return CMD_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return finish(CMD_DONE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("ttytrail %s\n", TTYTRAIL_VERSION);
        return CMD_DONE;
    }
    return finish(run_named(argc - 1, argv + 1));
}
