/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/place.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM (STATE_PLACE_MAX + 512)

const char *place_dir(const char *where)
{
    return strncmp(where, "file://", 7) == 0 ? where + 7 : where[0] == '/' ? where : NULL;
}

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct mark {
    const char *dir;
    char wanted[256]; /* the directory of the newest key: what is missing is named */
    bool found;
};

/* The directory of a key, not the key: the newest may not be stored yet, and whoever has lost a
 * store can make it by hand. */
static int look(void *user, const char *name, const struct buf *line)
{
    struct mark *m = user;
    const char *slash = strrchr(name, '/');
    char path[PATH_ROOM];

    (void)line;
    (void)snprintf(m->wanted, sizeof m->wanted, "%.*s", slash == NULL ? 0 : (int)(slash - name),
                   name);
    (void)snprintf(path, sizeof path, "%s/%s", m->dir, m->wanted);
    m->found |= is_dir(path);
    return 0;
}

static int parent_there(const char *dir, struct error *err)
{
    char parent[PATH_ROOM];
    char *slash;

    (void)snprintf(parent, sizeof parent, "%s", dir);
    slash = strrchr(parent, '/');
    if (is_dir(dir) || slash == NULL || slash == parent) {
        return 0;
    }
    *slash = '\0';
    return is_dir(parent) ? 0
                          : err_set(err, ERR_DENIED,
                                    "there is no directory %.120s to make the store in: make it, "
                                    "or correct the URL",
                                    parent);
}

int place_there(struct state *s_or_null, const char *where, struct error *err)
{
    const char *dir = place_dir(where);
    char known[STATE_PLACE_MAX] = "";
    struct mark m = {.dir = dir};

    if (dir == NULL) {
        return 0;
    }
    if (s_or_null != NULL && state_place(s_or_null, known, sizeof known, err) != 0) {
        return -1;
    }
    if (known[0] == '\0') {
        return parent_there(dir, err);
    }
    if (state_keys(s_or_null, look, &m, err) != 0) {
        return -1;
    }
    return m.found ? 0
                   : err_set(err, ERR_DENIED,
                             "%.90s is not the directory that was shipped to: no %.60s in it; "
                             "mount it (if it is lost: LOST DIRECTORY in ttytrail(1), ship)",
                             dir, m.wanted);
}
