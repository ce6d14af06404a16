/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/search_place.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSTALLED_DB    "/var/lib/ttytrail/evidence/evidence.db"
#define INSTALLED_INDEX "/var/lib/ttytrail/index/search.db"

/* FNV-1a: tells the databases of one user apart. */
static uint64_t hash_of(const char *text)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *text != '\0'; text++) {
        h = (h ^ (uint8_t)*text) * UINT64_C(1099511628211);
    }
    return h;
}

int search_place(const char *index_or_null, const char *db, char *ret, size_t size,
                 struct error *err)
{
    const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
    char dir[3900];
    int n;

    if (index_or_null != NULL) {
        (void)snprintf(ret, size, "%s", index_or_null);
        return 0;
    }
    if (strcmp(db, INSTALLED_DB) == 0 && access("/var/lib/ttytrail/index", W_OK) == 0) {
        (void)snprintf(ret, size, "%s", INSTALLED_INDEX);
        return 0;
    }
    n = snprintf(dir, sizeof dir, "%s", db);
    if (n > 0 && (size_t)n < sizeof dir && strrchr(dir, '/') != NULL) {
        *strrchr(dir, '/') = '\0';
        if (strcmp(db, INSTALLED_DB) != 0 && access(*dir != '\0' ? dir : "/", W_OK) == 0) {
            (void)snprintf(ret, size, "%.3900s.index.db", db);
            return 0;
        }
    }
    if (cache == NULL || *cache != '/') {
        if (home == NULL || *home != '/') {
            return err_set(err, ERR_USAGE, "no place for the index: --index FILE, or --no-index");
        }
        (void)snprintf(dir, sizeof dir, "%.3800s/.cache", home);
    } else {
        (void)snprintf(dir, sizeof dir, "%.3800s", cache);
    }
    (void)mkdir(dir, 0700);
    n = snprintf(ret, size, "%s/ttytrail", dir);
    (void)mkdir(ret, 0700);
    (void)snprintf(ret + n, size - (size_t)n, "/search-%016llx.db",
                   (unsigned long long)hash_of(db));
    return 0;
}
