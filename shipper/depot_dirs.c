/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/depot_dirs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int depot_dirs_no_links(const char *root, const char *dir, struct error *err)
{
    size_t i = strlen(root), len = strlen(dir);
    char *at = strdup(dir);
    int rc = at == NULL ? err_sys(err, "allocate") : 0;

    while (rc == 0 && i < len) {
        struct stat st;

        for (i++; i < len && at[i] != '/'; i++) {
        }
        at[i] = '\0';
        if (lstat(at, &st) == 0 && !S_ISDIR(st.st_mode)) {
            rc = err_set(
                err, ERR_DENIED,
                "%s is a link or a file: in a store there are directories alone; remove it", at);
        }
        at[i] = dir[i];
    }
    free(at);
    return rc;
}
