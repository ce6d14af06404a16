/* SPDX-License-Identifier: Apache-2.0 */
/* Where a shipper's own files are, and how its place is spelled. */
#include <stdio.h>
#include <string.h>

#include "shipper/ship.h"

int ship_paths(const char *db, char *ret_state, char *ret_key, unsigned long size,
               struct error *err)
{
    /* Installed: evidence/evidence.db, ship/ship.db, ship/host.key; embedded: beside the database.
     */
    static const char installed[] = "/var/lib/ttytrail/evidence/evidence.db";
    int a, b;

    if (strcmp(db, installed) == 0) {
        a = snprintf(ret_state, size, "/var/lib/ttytrail/ship/ship.db");
        b = snprintf(ret_key, size, "/var/lib/ttytrail/ship/host.key");
    } else {
        a = snprintf(ret_state, size, "%s.ship.db", db);
        b = snprintf(ret_key, size, "%s.key", db);
    }
    if (a < 0 || b < 0 || (size_t)a >= size || (size_t)b >= size) {
        return err_set(err, ERR_USAGE, "path of the database is too long");
    }
    return 0;
}

/* "s3://b/p/" is no other place than "s3://b/p", "/dir" none than "file:///dir". */
char *ship_place(const char *url)
{
    size_t n = strlen(url);
    char *ret = NULL;

    while (n > 0 && url[n - 1] == '/') {
        n--;
    }
    return asprintf(&ret, "%s%.*s", url[0] == '/' ? "file://" : "", (int)n, url) < 0 ? NULL : ret;
}
