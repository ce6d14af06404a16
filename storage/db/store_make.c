/* SPDX-License-Identifier: Apache-2.0 */
/* A database that is new: its file, its schema, and that a power cut leaves it or nothing. */
#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "storage/db/store_impl.h"

#define NEW_TRIES  500 /* with NEW_TRY_MS, ten seconds */
#define NEW_TRY_MS 20
#define PAGE_BYTES 4096
#define SECTOR     512

/* The directory's lock: closing a second descriptor of the database itself would drop SQLite's own.
 */
static int lock_directory(const char *path)
{
    char dir[4200];
    char *slash;
    int fd;

    (void)snprintf(dir, sizeof dir, "%s", path);
    slash = strrchr(dir, '/');
    if (slash == NULL) {
        (void)snprintf(dir, sizeof dir, ".");
    } else {
        slash[slash == dir ? 1 : 0] = '\0';
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)flock(fd, LOCK_EX);
    }
    return fd;
}

/* A power cut while the database was made leaves its one page without its first sector; all that
 * anybody committed came after the fsync of that page. */
static bool is_unborn(int fd)
{
    static const uint8_t zero[SECTOR];
    uint8_t first[SECTOR] = {0};
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size == PAGE_BYTES &&
           pread(fd, first, sizeof first, 0) == SECTOR && memcmp(first, zero, sizeof first) == 0;
}

/* New files are made under our own name and mode first: SQLite would follow the umask. */
int store_make_file(const char *path, mode_t mode, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, mode);
    int lock, rc = 0;

    if (fd < 0) {
        return err_sys(err, "open database %s", path);
    }
    if (is_unborn(fd)) {
        lock = lock_directory(path);
        rc = is_unborn(fd) && ftruncate(fd, 0) != 0 ? err_sys(err, "begin %s anew", path) : 0;
        if (lock >= 0) {
            close(lock);
        }
    }
    close(fd);
    return rc;
}

/* Page size and vacuum mode cannot be changed after the first table without a VACUUM (PITFALLS 22).
 * A new database holds no evidence yet, so one fsync at the end of its making is enough;
 * and its one page is written whole, so the way into WAL mode needs no journal. */
static int set_up_new(struct store *s, struct error *err)
{
    if (schema_exec(s->db,
                    "PRAGMA synchronous = OFF; PRAGMA page_size = 4096; "
                    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = OFF; "
                    "PRAGMA journal_mode = WAL",
                    err) != 0) {
        return -1;
    }
    return schema_migrate(s->db, err);
}

/* Many private writers may find the same new file: one makes the database, the others find it made.
 * The way into WAL mode is refused at once, not waited for, while anybody so much as looks. */
int store_make_new(struct store *s, struct error *err)
{
    int lock = lock_directory(s->path);
    int rc = -1;

    for (int tries = 0; tries < NEW_TRIES && rc != 0; tries++) {
        int is_new = schema_is_new(s->db, err);

        if (tries > 0) {
            (void)poll(NULL, 0, NEW_TRY_MS);
        }
        rc = is_new < 0 ? -1 : is_new > 0 ? set_up_new(s, err) : schema_migrate(s->db, err);
        if (rc != 0 && (err == NULL || err->kind != ERR_RETRY)) {
            break;
        }
    }
    if (lock >= 0) {
        close(lock);
    }
    return rc;
}

/* The database itself, and the names of its files.  The WAL's fsync is not enough: SQLite throws a
 * WAL away whose database is empty, which a new one may be after a power cut.  Through SQLite's own
 * descriptor, since closing another would drop its locks. */
int store_make_durable(struct store *s, struct error *err)
{
    sqlite3_file *f = NULL;

    if (s->durable) {
        return 0;
    }
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK ||
        f == NULL || f->pMethods->xSync(f, SQLITE_SYNC_NORMAL) != SQLITE_OK) {
        return err_set(err, ERR_SYSTEM, "sync %s", s->path);
    }
    if (io_sync_dir_of(AT_FDCWD, s->path, err) != 0) {
        return -1;
    }
    s->durable = true;
    return 0;
}
