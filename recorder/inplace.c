/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/inplace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/child.h"

int inplace_exec(const struct recorder_config *config, const char *shell,
                 const struct limits *limits, struct error *err)
{
    const char *path = config->path != NULL ? config->path : config->argv[0];
    int code;

    if (config->drop_group && child_drop_group() != 0) {
        return err_set(err, ERR_DENIED, "drop the group: %s", strerror(errno));
    }
    if (config->child_shell != NULL && setenv("SHELL", config->child_shell, 1) != 0) {
        return err_sys(err, "set SHELL");
    }
    limits_resume(limits);
    (void)close_range(3, ~0U, 0);
    child_exec(path, config->argv, shell);
    code = errno;
    err_set(err, ERR_USAGE, "run %.100s: %s", shell != NULL ? shell : path, strerror(code));
    err->code = code;
    return -1;
}
