/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/ship.h"

#define INSTALLED_DB     "/var/lib/ttytrail/evidence/evidence.db"
#define INSTALLED_SOCKET "/run/ttytrail/control.sock"

int evidence_open(const struct cmd_common *common, struct reader **ret, struct error *err)
{
    char db[4096];

    if (cmd_db_path(common, db, sizeof db, err) != 0) {
        return -1;
    }
    if (reader_open(ret, db, err) == 0) {
        return 0;
    }
    if (err->kind == ERR_SYSTEM && err->code == ENOENT && common->db == NULL) {
        if (access(INSTALLED_DB, R_OK) != 0 && errno == EACCES) {
            (void)err_set(err, ERR_SYSTEM,
                          "you have recorded nothing yourself; this host's recordings are for the "
                          "group ttytrail-audit");
        } else {
            (void)err_set(err, ERR_SYSTEM, "nothing has been recorded yet");
        }
        err->code = ENOENT;
    }
    return -1;
}

static int place(const struct cmd_common *common, const char *socket_or_null,
                 struct evidence_place *ret, struct error *err)
{
    if (cmd_db_path(common, ret->db, sizeof ret->db, err) != 0) {
        conf_clear(&ret->conf);
        return -1;
    }
    ret->socket_or_null = socket_or_null;
    if (socket_or_null == NULL && strcmp(ret->db, INSTALLED_DB) == 0 &&
        access(INSTALLED_SOCKET, F_OK) == 0) {
        ret->socket_or_null = INSTALLED_SOCKET;
    }
    return 0;
}

int evidence_place(const struct cmd_common *common, const char *socket_or_null,
                   struct evidence_place *ret, struct error *err)
{
    memset(ret, 0, sizeof *ret);
    if (conf_open(&ret->conf, common->config, err) != 0) {
        conf_clear(&ret->conf);
        return -1;
    }
    return place(common, socket_or_null, ret, err);
}

int evidence_place_without(const struct cmd_common *common, struct evidence_place *ret,
                           struct error *err)
{
    memset(ret, 0, sizeof *ret);
    return conf_init(&ret->conf, err) != 0 ? -1 : place(common, NULL, ret, err);
}

int evidence_be_owner(const struct evidence_place *p, struct error *err)
{
    char state[4096], key[4096], text[16384];
    struct passwd entry, *found = NULL;
    struct stat st;

    if (geteuid() != 0 || strcmp(p->db, INSTALLED_DB) != 0) {
        return 0;
    }
    if (ship_paths(p->db, state, key, sizeof state, err) != 0) {
        return -1;
    }
    if (stat(dirname(state), &st) != 0 || st.st_uid == 0) {
        return 0;
    }
    if (getpwuid_r(st.st_uid, &entry, text, sizeof text, &found) != 0 || found == NULL) {
        return err_set(err, ERR_DENIED, "%s belongs to uid %ld, which is nobody", state,
                       (long)st.st_uid);
    }
    if (initgroups(entry.pw_name, entry.pw_gid) != 0 ||
        setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid) != 0 ||
        setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid) != 0) {
        return err_sys(err, "become %s", entry.pw_name);
    }
    return 0;
}

void evidence_place_clear(struct evidence_place *p)
{
    conf_clear(&p->conf);
}

int evidence_config_check(const struct cmd_common *common, struct error *err)
{
    struct conf conf;

    if (common->config == NULL) {
        return 0;
    }
    if (conf_open(&conf, common->config, err) != 0) {
        return -1;
    }
    conf_clear(&conf);
    return 0;
}

bool evidence_is_database(const char *path)
{
    static const char magic[16] = "SQLite format 3"; /* sqlite.org/fileformat2.html, 1.3.1 */
    char head[sizeof magic];
    struct stat st;
    bool result = false;
    int fd;

    /* Asked by name first: a pipe would lose what is read from it. */
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0) {
        result = read(fd, head, sizeof head) == (ssize_t)sizeof head &&
                 memcmp(head, magic, sizeof magic) == 0;
        close(fd);
    }
    return result;
}
