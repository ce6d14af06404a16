/* SPDX-License-Identifier: Apache-2.0 */
/* A directory takes the same objects as a bucket: a name's slashes are directories. */
#include "shipper/depot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "shipper/depot_dirs.h"

#define DEPTH_MAX 16
#define SYNCED    4 /* directories of a day: of packs, of batches; and of keys */

struct depot_file {
    struct depot head;
    char *dir;
    bool made;            /* the directory itself was seen to be there */
    char *synced[SYNCED]; /* that are in their parents for sure; the newest first */
};

static int path_of(const struct depot_file *f, const char *name, char **ret, struct error *err)
{
    /* Names are ours or come out of a signed manifest; a name that climbs is neither. */
    if (name[0] == '/' || name[0] == '\0' || strstr(name, "..") != NULL) {
        (void)err_set(err, ERR_CORRUPT, "name of an object leaves its directory");
        return -1;
    }
    *ret = NULL;
    if (asprintf(ret, "%s/%s", f->dir, name) < 0 || *ret == NULL) {
        *ret = NULL;
        (void)err_sys(err, "allocate");
        return -1;
    }
    return 0;
}

/* Sorts errno once, as aws/s3 does with its codes. */
static int sort_error(struct error *err)
{
    if (err->kind == ERR_SYSTEM) {
        switch (err->code) {
        case EACCES:
        case EPERM:
        case EROFS:
            err->kind = ERR_DENIED;
            break;
        case ENOSPC:
        case EDQUOT:
        case EIO:
        case EINTR:
        case EMFILE:
        case ENFILE:
        case ESTALE:
            err->kind = ERR_RETRY;
            break;
        default:
            break;
        }
    }
    return -1;
}

/* What comes out of the evidence a second time is held against what was hashed. */
struct holding {
    EVP_MD_CTX *sha;
    const uint8_t *sha256;
};

static int hold(void *user, const void *bytes, size_t len, struct error *err)
{
    const struct holding *h = user;
    uint8_t sha[32];

    if (len > 0) {
        return EVP_DigestUpdate(h->sha, bytes, len) == 1 ? 0
                                                         : err_set(err, ERR_SYSTEM, "cannot hash");
    }
    if (EVP_DigestFinal_ex(h->sha, sha, NULL) != 1) {
        return err_set(err, ERR_SYSTEM, "cannot hash");
    }
    return memcmp(sha, h->sha256, sizeof sha) == 0
               ? 0
               : err_set(err, ERR_CORRUPT, "the bytes are not what was hashed");
}

static int create(const char *path, const struct depot_put *put, struct error *err)
{
    struct holding h = {EVP_MD_CTX_new(), put->sha256};
    int rc;

    if (put->stream == NULL) {
        EVP_MD_CTX_free(h.sha);
        return io_create_file(AT_FDCWD, path, 0640, put->bytes, put->len, err);
    }
    if (h.sha == NULL || EVP_DigestInit_ex(h.sha, EVP_sha256(), NULL) != 1) {
        rc = err_set(err, ERR_SYSTEM, "cannot hash");
    } else {
        rc = io_create_from(AT_FDCWD, path, 0640, put->stream, hold, &h, err);
    }
    EVP_MD_CTX_free(h.sha);
    return rc;
}

/* 0 when ${fd} holds the same. */
static int same(int fd, const struct depot_put *put)
{
    uint8_t chunk[65536], sha[32];
    size_t len = put->stream == NULL ? put->len : put->stream->len;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    int rc = c == NULL || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1 ? -1 : 0;
    ssize_t n = 1;

    for (size_t done = 0; rc == 0 && n > 0; done += (size_t)n) {
        n = read(fd, chunk, sizeof chunk);
        rc = n < 0 || done + (size_t)n > len || (n == 0 && done != len) ||
                     EVP_DigestUpdate(c, chunk, (size_t)n) != 1
                 ? -1
                 : 0;
    }
    rc = rc == 0 && EVP_DigestFinal_ex(c, sha, NULL) == 1 ? memcmp(sha, put->sha256, 32) : -1;
    EVP_MD_CTX_free(c);
    return rc;
}

/* Unlike a bucket we can look at what has the name, and then also know that it is on the disk. */
static void compare(const char *path, const struct depot_put *put, enum depot_put_result *ret)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    *ret =
        fd >= 0 && fsync(fd) == 0 && io_sync_dir_of(AT_FDCWD, path, NULL) == 0 && same(fd, put) == 0
            ? DEPOT_PUT_CONFIRMED
            : DEPOT_PUT_EXISTS;
    if (fd >= 0) {
        close(fd);
    }
}

static bool is_synced(const struct depot_file *f, const char *dir)
{
    for (size_t i = 0; i < SYNCED; i++) {
        if (f->synced[i] != NULL && strcmp(f->synced[i], dir) == 0) {
            return true;
        }
    }
    return false;
}

/* An object is durable only if each directory on the way to it is, and who made them may have been
 * killed since: once per directory and run.  Above the store we may not be allowed to look. */
static int sync_above(struct depot_file *f, const char *dir, struct error *err)
{
    char *at = strdup(dir), *slash;
    int rc = at == NULL ? err_sys(err, "allocate") : 0;

    while (rc == 0 && strlen(at) >= strlen(f->dir) && (slash = strrchr(at, '/')) != NULL) {
        rc = io_sync_dir_of(AT_FDCWD, at, err);
        if (rc != 0 && err->code == EACCES && strcmp(at, f->dir) == 0) {
            rc = 0;
        }
        *slash = '\0';
    }
    free(at);
    if (rc == 0) {
        free(f->synced[SYNCED - 1]);
        memmove(f->synced + 1, f->synced, (SYNCED - 1) * sizeof *f->synced);
        f->synced[0] = strdup(dir); /* NULL: it is synced again */
    }
    return rc;
}

/* Only the store's own directory, and that once: those above it are not ours to make, and one that
 * went away meanwhile (it was unmounted) must not come back empty. */
static int make_root(struct depot_file *f, struct error *err)
{
    struct stat st;

    if (stat(f->dir, &st) == 0 && S_ISDIR(st.st_mode)) {
        f->made = true;
        return 0;
    }
    if (f->made || mkdir(f->dir, 0750) != 0) {
        errno = f->made ? ENOENT : errno;
        return err_sys(err, "%s directory %.150s", f->made ? "find" : "make", f->dir);
    }
    f->made = true;
    return 0;
}

static int make_dirs(struct depot_file *f, const char *dir, struct error *err)
{
    if (is_synced(f, dir)) {
        return 0;
    }
    if (make_root(f, err) != 0 || depot_dirs_no_links(f->dir, dir, err) != 0) {
        return -1;
    }
    return io_mkdirs(dir, 0750, err) != 0 ? -1 : sync_above(f, dir, err);
}

static int file_put(struct depot *s, const struct depot_put *put, enum depot_put_result *ret,
                    struct error *err)
{
    struct depot_file *f = (struct depot_file *)s;
    char *path = NULL;
    size_t dir;
    int rc;

    if (path_of(f, put->name, &path, err) != 0) {
        return -1;
    }
    for (dir = strlen(path); path[dir] != '/'; dir--) {
    }
    path[dir] = '\0';
    rc = make_dirs(f, path, err);
    path[dir] = '/';
    if (rc == 0) {
        rc = create(path, put, err);
        if (rc == 0) {
            *ret = DEPOT_PUT_CONFIRMED;
        } else if (err->kind == ERR_SYSTEM && err->code == EEXIST) {
            compare(path, put, ret);
            rc = 0;
        }
    }
    free(path);
    return rc == 0 ? 0 : sort_error(err);
}

static int file_get(struct depot *s, const char *name, const char *version, size_t max_bytes,
                    struct buf *ret, struct error *err)
{
    struct depot_file *f = (struct depot_file *)s;
    char *path = NULL;
    int rc;

    (void)version;
    if (path_of(f, name, &path, err) != 0) {
        return -1;
    }
    rc = io_read_file(AT_FDCWD, path, max_bytes, ret, err);
    free(path);
    return rc;
}

static int read_at(int fd, uint64_t offset, size_t len, struct buf *ret, struct error *err)
{
    uint8_t *at;
    size_t n = 0;

    if (offset > INT64_MAX || buf_reserve(ret, len, &at, err) != 0) {
        return -1;
    }
    while (n < len) {
        ssize_t got = pread(fd, at + n, len - n, (off_t)(offset + n));

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_sys(err, "read");
        }
        if (got == 0) {
            return err_set(err, ERR_CORRUPT, "shorter than it was listed");
        }
        n += (size_t)got;
    }
    buf_commit(ret, n);
    return 0;
}

static int file_get_range(struct depot *s, const char *name, const char *version, uint64_t offset,
                          size_t len, struct buf *ret, struct error *err)
{
    struct depot_file *f = (struct depot_file *)s;
    char *path = NULL;
    struct stat st;
    int fd, rc = -1;

    (void)version;
    if (path_of(f, name, &path, err) != 0) {
        return -1;
    }
    /* NONBLOCK: a FIFO in its place would hold us up. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        (void)err_sys(err, "open");
    } else if (!S_ISREG(st.st_mode)) {
        (void)err_set(err, ERR_CORRUPT, "no regular file");
    } else {
        rc = read_at(fd, offset, len, ret, err);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return rc;
}

struct walk {
    const struct depot_file *file;
    depot_list_fn *cb;
    void *user;
    struct error *err;
};

static int walk_dir(const struct walk *w, const char *name, int depth);

static int walk_entry(const struct walk *w, const char *name, int depth)
{
    struct depot_item item = {.name = name, .version = ""};
    char *path = NULL;
    struct stat st;
    size_t len = strlen(name);
    int rc;

    if (asprintf(&path, "%s/%s", w->file->dir, name) < 0) {
        return err_sys(w->err, "allocate");
    }
    rc = lstat(path, &st);
    free(path);
    if (rc != 0) {
        return errno == ENOENT ? 0 : err_sys(w->err, "stat %s", name);
    }
    /* Deeper than any object of ours lies somebody else's: named, not entered. */
    if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
        return walk_dir(w, name, depth + 1);
    }
    /* A name beside its place is what a kill left of io_create_file: no object. */
    if (len > 4 && strcmp(name + len - 4, ".tmp") == 0) {
        return 0;
    }
    item.size = (uint64_t)st.st_size;
    item.modified_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
    return w->cb(w->user, &item);
}

static int walk_dir(const struct walk *w, const char *name, int depth)
{
    struct dirent **list = NULL;
    char *path = NULL;
    int n, rc = 0;

    if (depth > DEPTH_MAX) {
        return err_set(w->err, ERR_LIMIT, "%s: directories too deep", name);
    }
    if (asprintf(&path, "%s%s%s", w->file->dir, *name == '\0' ? "" : "/", name) < 0) {
        return err_sys(w->err, "allocate");
    }
    n = scandir(path, &list, NULL, alphasort);
    if (n < 0 && errno != ENOENT) {
        rc = err_sys(w->err, "read directory %s", path);
    }
    free(path);
    for (int i = 0; i < n; i++) {
        const char *e = list[i]->d_name;
        char *child = NULL;

        if (rc == 0 && strcmp(e, ".") != 0 && strcmp(e, "..") != 0) {
            rc = asprintf(&child, "%s%s%s", name, *name == '\0' ? "" : "/", e) < 0
                     ? err_sys(w->err, "allocate")
                     : walk_entry(w, child, depth);
            free(child);
        }
        free(list[i]);
    }
    free(list);
    return rc;
}

/* A link in the place of one of the three directories is an object that cannot be read, not a way
 * out. */
static int walk_top(const struct walk *w, const char *dir)
{
    struct depot_item item = {.name = dir, .version = ""};
    char *path = NULL;
    struct stat st;
    int rc;

    if (asprintf(&path, "%s/%s", w->file->dir, dir) < 0) {
        return err_sys(w->err, "allocate");
    }
    rc = lstat(path, &st);
    free(path);
    if (*dir != '\0' && rc == 0 && S_ISLNK(st.st_mode)) {
        return w->cb(w->user, &item);
    }
    return walk_dir(w, dir, 0);
}

static int file_list(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
                     struct error *err)
{
    struct walk w = {(struct depot_file *)s, cb, user, err};
    char dir[DEPOT_NAME_MAX];
    int n = snprintf(dir, sizeof dir, "%s", prefix);

    if (n < 0 || (size_t)n >= sizeof dir || strstr(prefix, "..") != NULL) {
        return err_set(err, ERR_USAGE, "prefix is no name");
    }
    while (n > 0 && dir[n - 1] == '/') {
        dir[--n] = '\0';
    }
    return walk_top(&w, dir);
}

static void file_close(struct depot *s)
{
    struct depot_file *f = (struct depot_file *)s;

    for (size_t i = 0; i < SYNCED; i++) {
        free(f->synced[i]);
    }
    free(f->dir);
    free(f);
}

const struct depot_type depot_file_type = {
    .scheme = "file",
    .put = file_put,
    .get = file_get,
    .get_range = file_get_range,
    .list = file_list,
    .list_versions = NULL,
    .close = file_close,
};

int depot_file_open(struct depot **ret, const char *dir, struct error *err)
{
    struct depot_file *f = calloc(1, sizeof *f);
    size_t n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/') {
        n--;
    }
    if (f == NULL || (f->dir = strndup(dir, n)) == NULL) {
        free(f);
        return err_sys(err, "allocate");
    }
    f->head.type = &depot_file_type;
    *ret = &f->head;
    return 0;
}
