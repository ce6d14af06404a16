/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttytrail: the program that people start.  It records by itself; every other command is the work
 * of ttytrail-tools, which it becomes.  SQLite, OpenSSL and the rest are a millisecond of each
 * start that a recorded command need not wait for (docs/DESIGN.md section 2).
 */
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "common/log.h"
#include "storage/wire/spawn.h"

#define TOOLS "ttytrail-tools"

int main(int argc, char **argv)
{
    struct error err;
    char path[4352];

    log_open("ttytrail", LOG_TO_STDERR, LOG_LEVEL_WARN);
    if (argc > 1 && strcmp(argv[1], "record") == 0) {
        return cmd_record.run(argc - 1, argv + 1);
    }
    if (spawn_sibling(TOOLS, "../libexec/ttytrail", path, sizeof path, &err) != 0) {
        return cmd_fail(&err);
    }
    (void)execv(path, argv);
    (void)err_sys(&err, "start %s", path);
    return cmd_fail(&err);
}
