/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "storage/wire/spawn.h"

#define INSTALLED_DB "/var/lib/ttytrail/evidence/evidence.db"

int cmd_common_option(const struct cmd *cmd, int opt, struct cmd_common *common)
{
    switch (opt) {
    case CMD_OPT_DB:
        common->db = optarg;
        return -1;
    case CMD_OPT_CONFIG:
        common->config = optarg;
        return -1;
    case CMD_OPT_HELP:
        (void)fputs(cmd->help, stdout);
        return CMD_DONE;
    case '?':
    case ':':
        /* getopt has said what is wrong. */
        (void)fprintf(stderr, "Try 'ttytrail %s --help'.\n", cmd->name);
        return CMD_USAGE;
    default:
        return -2;
    }
}

int cmd_usage(const struct cmd *cmd, const char *fmt, ...)
{
    char raw[512], line[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    (void)fprintf(stderr, "ttytrail %s: %s\nTry 'ttytrail %s --help'.\n", cmd->name,
                  log_escape(raw, strlen(raw), line, sizeof line), cmd->name);
    return CMD_USAGE;
}

int cmd_fail(const struct error *err)
{
    char line[1024];

    (void)fprintf(stderr, "ttytrail: %s\n",
                  log_escape(err->text, strlen(err->text), line, sizeof line));
    return err->kind == ERR_USAGE ? CMD_USAGE : CMD_FAILED;
}

static int absolute(const char *path, char *ret, size_t size, struct error *err)
{
    char cwd[4096];
    int n;

    if (path[0] == '/') {
        n = snprintf(ret, size, "%s", path);
    } else if (getcwd(cwd, sizeof cwd) == NULL) {
        return err_sys(err, "find the working directory");
    } else {
        n = snprintf(ret, size, "%s/%s", cwd, path);
    }
    if (n < 0 || (size_t)n >= size) {
        return err_set(err, ERR_USAGE, "path of the database is too long");
    }
    return 0;
}

int cmd_db_path(const struct cmd_common *common, char *ret, size_t size, struct error *err)
{
    if (common->db != NULL) {
        return absolute(common->db, ret, size, err);
    }
    if (access(INSTALLED_DB, R_OK) == 0) {
        return absolute(INSTALLED_DB, ret, size, err);
    }
    return spawn_default_path(ret, size, err);
}

bool cmd_terminal(int fd)
{
    const char *term = getenv("TERM");

    return isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

bool cmd_colour(int fd)
{
    const char *no = getenv("NO_COLOR");

    return cmd_terminal(fd) && (no == NULL || *no == '\0');
}
