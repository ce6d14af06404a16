/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int io_write_all(int fd, const void *bytes, size_t len, struct error *err)
{
    const uint8_t *p = bytes;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return err_sys(err, "write");
        }
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int read_fd(int fd, const char *path, size_t max_bytes, struct buf *ret, struct error *err)
{
    size_t total = 0;

    for (;;) {
        uint8_t chunk[16384];
        ssize_t n = read(fd, chunk, sizeof chunk);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_sys(err, "read %s", path);
        }
        if (n == 0) {
            return 0;
        }
        total += (size_t)n;
        if (total > max_bytes) {
            return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
        }
        if (buf_append(ret, chunk, (size_t)n, err) != 0) {
            return -1;
        }
    }
}

int io_read_file(int dirfd, const char *path, size_t max_bytes, struct buf *ret, struct error *err)
{
    struct stat st;
    int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;

    if (fd < 0) {
        return err_sys(err, "open %s", path);
    }
    if (fstat(fd, &st) != 0) {
        rc = err_sys(err, "stat %s", path);
    } else if (!S_ISREG(st.st_mode)) {
        rc = err_set(err, ERR_USAGE, "%s is not a regular file", path);
    } else {
        rc = read_fd(fd, path, max_bytes, ret, err);
    }
    close(fd);
    return rc;
}

int io_sync_dir_of(int dirfd, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash == NULL   ? strdup(".")
                : slash == path ? strdup("/")
                                : strndup(path, (size_t)(slash - path));
    int fd, rc = 0;

    if (dir == NULL) {
        return err_sys(err, "allocate");
    }
    fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        rc = err_sys(err, "sync directory %s", dir);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(dir);
    return rc;
}

/* Writes ${path}'s new content under a name of its own; the caller renames or links it. */
/* A new file beside ${path}, filled by ${fill}, synced. */
static int beside(int dirfd, const char *path, mode_t mode,
                  int (*fill)(void *user, int fd, struct error *err), void *user, char **ret_temp,
                  struct error *err)
{
    uint64_t r = 0;
    char *temp = NULL;
    int fd, rc;

    if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r ||
        asprintf(&temp, "%s.%016llx.tmp", path, (unsigned long long)r) < 0) {
        return err_sys(err, "name a file beside %s", path);
    }
    fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        rc = err_sys(err, "create %s", temp);
        free(temp);
        return rc;
    }
    rc = fill(user, fd, err);
    if (rc == 0 && fsync(fd) != 0) {
        rc = err_sys(err, "sync");
    }
    if (close(fd) != 0 && rc == 0) {
        rc = err_sys(err, "close");
    }
    if (rc != 0) {
        (void)unlinkat(dirfd, temp, 0);
        err_wrap(err, "%s", path);
        free(temp);
        return -1;
    }
    *ret_temp = temp;
    return 0;
}

struct bytes {
    const void *at;
    size_t len;
};

static int fill_bytes(void *user, int fd, struct error *err)
{
    const struct bytes *b = user;

    return io_write_all(fd, b->at, b->len, err);
}

static int write_beside(int dirfd, const char *path, mode_t mode, const void *bytes, size_t len,
                        char **ret_temp, struct error *err)
{
    struct bytes b = {bytes, len};

    return beside(dirfd, path, mode, fill_bytes, &b, ret_temp, err);
}

int io_replace_file(int dirfd, const char *path, mode_t mode, const void *bytes, size_t len,
                    struct error *err)
{
    char *temp = NULL;
    int rc = 0;

    if (write_beside(dirfd, path, mode, bytes, len, &temp, err) != 0) {
        return -1;
    }
    if (renameat(dirfd, temp, dirfd, path) != 0) {
        rc = err_sys(err, "rename to %s", path);
        (void)unlinkat(dirfd, temp, 0);
    } else {
        rc = io_sync_dir_of(dirfd, path, err);
    }
    free(temp);
    return rc;
}

/* A link, not a rename: it fails when the name is taken. */
static int give_name(int dirfd, char *temp, const char *path, struct error *err)
{
    int rc = 0;

    if (linkat(dirfd, temp, dirfd, path, 0) != 0) {
        rc = err_sys(err, "create %s", path);
        (void)unlinkat(dirfd, temp, 0);
    } else {
        (void)unlinkat(dirfd, temp, 0);
        rc = io_sync_dir_of(dirfd, path, err);
    }
    free(temp);
    return rc;
}

int io_create_file(int dirfd, const char *path, mode_t mode, const void *bytes, size_t len,
                   struct error *err)
{
    char *temp = NULL;

    return write_beside(dirfd, path, mode, bytes, len, &temp, err) != 0
               ? -1
               : give_name(dirfd, temp, path, err);
}

struct pouring {
    const struct source *source;
    int (*check)(void *user, const void *bytes, size_t len, struct error *err);
    void *user;
};

static int fill_from(void *user, int fd, struct error *err)
{
    const struct pouring *p = user;
    size_t done = 0;

    while (done < p->source->len) {
        uint8_t chunk[65536];
        ssize_t n = p->source->read(p->source->user, done, chunk, sizeof chunk, err);

        if (n <= 0 || p->check(p->user, chunk, (size_t)n, err) != 0 ||
            io_write_all(fd, chunk, (size_t)n, err) != 0) {
            return -1;
        }
        done += (size_t)n;
    }
    return p->check(p->user, NULL, 0, err);
}

int io_create_from(int dirfd, const char *path, mode_t mode, const struct source *source,
                   int (*check)(void *user, const void *bytes, size_t len, struct error *err),
                   void *user, struct error *err)
{
    struct pouring p = {source, check, user};
    char *temp = NULL;

    return beside(dirfd, path, mode, fill_from, &p, &temp, err) != 0
               ? -1
               : give_name(dirfd, temp, path, err);
}

int io_mkdirs(const char *path, mode_t mode, struct error *err)
{
    char *copy = strdup(path), *p;
    int rc = 0;

    if (copy == NULL) {
        return err_sys(err, "allocate");
    }
    for (p = copy + 1; rc == 0; p++) {
        char c = *p;

        if (c != '/' && c != '\0') {
            continue;
        }
        *p = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST) {
            rc = err_sys(err, "create directory %s", copy);
        }
        *p = c;
        if (c == '\0') {
            break;
        }
    }
    free(copy);
    return rc;
}

char *io_hex(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int io_unhex(const char *text, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int hi = hex_value(text[2 * i]);
        int lo = hi < 0 ? -1 : hex_value(text[2 * i + 1]);

        if (lo < 0) {
            return -1;
        }
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return text[2 * len] == '\0' ? 0 : -1;
}
