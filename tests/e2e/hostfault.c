/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: a host that fails.  Three things, each asked for by an environment variable:
 *
 * HOSTFAULT_STATE=FILE with HOSTFAULT_DIR=DIR/ and HOSTFAULT_SHADOW=DIR: the power goes.  FILE,
 * mapped by every process, counts what they do to files below DIR and what they send; at its `at`th
 * such call everything that is registered there is killed at once.  SHADOW holds, by inode, each
 * file as it was when it was synced last, and the new names that no sync of their directory
 * followed: the test makes a disk of it. HOSTFAULT_FULL=FILE with HOSTFAULT_DIR: while FILE exists,
 * files below DIR cannot grow (ENOSPC). HOSTFAULT_MACHINE=FILE: that is /etc/machine-id.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESSES 256

struct state {
    atomic_long at, count; /* at: set by the test; 0: never */
    atomic_int dead, registered;
    int pids[PROCESSES];
};

static struct state *state;
static const char *dir, *shadow, *full, *machine;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("HOSTFAULT_STATE");
    int fd, n;

    dir = getenv("HOSTFAULT_DIR");
    shadow = getenv("HOSTFAULT_SHADOW");
    full = getenv("HOSTFAULT_FULL");
    machine = getenv("HOSTFAULT_MACHINE");
    if (path == NULL || dir == NULL || shadow == NULL) {
        return;
    }
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (state == MAP_FAILED) {
        state = NULL;
        return;
    }
    n = atomic_fetch_add(&state->registered, 1);
    if (n < PROCESSES) {
        state->pids[n] = getpid();
    }
    while (atomic_load(&state->dead) != 0) {
        (void)kill(getpid(), SIGKILL);
    }
}

/* Whether the descriptor's file lies below the directory; its path. */
static bool ours(int fd, char path[4096])
{
    char link[64];
    ssize_t n;

    if (dir == NULL) {
        return false;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, 4095);
    if (n <= 0) {
        return false;
    }
    path[n] = '\0';
    /* The directory itself is spelled without its last slash here. */
    return strncmp(path, dir, strlen(dir)) == 0 ||
           ((size_t)n == strlen(dir) - 1 && strncmp(path, dir, (size_t)n) == 0);
}

/* Numbers of processes are used again: only who has our variable is one of ours. */
static bool is_ours(int pid)
{
    const char *path = getenv("HOSTFAULT_STATE");
    char name[64], text[65536];
    ssize_t n;
    int fd;

    (void)snprintf(name, sizeof name, "/proc/%d/environ", pid);
    fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
    n = fd < 0 ? -1 : read(fd, text, sizeof text);
    (void)close(fd);
    return n > 0 && path != NULL && memmem(text, (size_t)n, path, strlen(path)) != NULL;
}

static void the_end(void)
{
    int n = atomic_load(&state->registered);

    for (int i = 0; i < n && i < PROCESSES; i++) {
        if (state->pids[i] > 0 && state->pids[i] != getpid() && is_ours(state->pids[i])) {
            (void)kill(state->pids[i], SIGKILL);
        }
    }
    (void)kill(getpid(), SIGKILL);
}

/* One more call; the power may go before it is done.  Nobody comes after that. */
static void tick(void)
{
    long n;

    if (state == NULL) {
        return;
    }
    n = atomic_fetch_add(&state->count, 1) + 1;
    if (n == atomic_load(&state->at)) {
        atomic_store(&state->dead, 1);
        the_end();
    }
    while (atomic_load(&state->dead) != 0) {
        (void)kill(getpid(), SIGKILL);
    }
}

static void copy(int from, int to)
{
    static const size_t room = 1U << 16;
    char *bytes = malloc(room);
    off_t at = 0;
    ssize_t n;

    while (bytes != NULL && (n = pread(from, bytes, room, at)) > 0) {
        if (syscall(SYS_write, to, bytes, (size_t)n) != n) {
            abort();
        }
        at += n;
    }
    free(bytes);
}

/* The file is on the disk as it is now. */
static void keep(int fd, const char *path)
{
    char name[4352], part[4400];
    struct stat st;
    int from, to;

    if (fstat(fd, &st) != 0) {
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        (void)snprintf(name, sizeof name, "%s/names-%llu", shadow, (unsigned long long)st.st_ino);
        (void)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
        return;
    }
    (void)snprintf(name, sizeof name, "%s/%llu", shadow, (unsigned long long)st.st_ino);
    (void)snprintf(part, sizeof part, "%s.%d.%d", name, getpid(), fd);
    from = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    to = (int)syscall(SYS_openat, AT_FDCWD, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (from >= 0 && to >= 0) {
        copy(from, to);
        (void)syscall(SYS_renameat, AT_FDCWD, part, AT_FDCWD, name);
    }
    (void)close(from);
    (void)close(to);
}

static int sync_of(int fd, long number)
{
    char path[4096];

    if (state == NULL || !ours(fd, path)) {
        return (int)syscall(number, fd);
    }
    tick();
    keep(fd, path);
    return 0;
}

int fsync(int fd)
{
    return sync_of(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_of(fd, SYS_fdatasync);
}

/* Whether a write up to ${end} has to fail. */
static bool no_room(int fd, off_t end)
{
    struct stat st;

    return full != NULL && access(full, F_OK) == 0 && fstat(fd, &st) == 0 && end > st.st_size;
}

static bool before_write(int fd, off_t end)
{
    char path[4096];

    if ((state == NULL && full == NULL) || !ours(fd, path)) {
        return true;
    }
    tick();
    if (no_room(fd, end)) {
        errno = ENOSPC;
        return false;
    }
    return true;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
    return before_write(fd, at + (off_t)len) ? (ssize_t)syscall(SYS_pwrite64, fd, bytes, len, at)
                                             : -1;
}

ssize_t pwrite(int, const void *, size_t, off_t) __attribute__((alias("pwrite64")));

ssize_t write(int fd, const void *bytes, size_t len)
{
    off_t at = full == NULL ? 0 : lseek(fd, 0, SEEK_CUR);

    return before_write(fd, at + (off_t)len) ? (ssize_t)syscall(SYS_write, fd, bytes, len) : -1;
}

int ftruncate64(int fd, off_t len)
{
    return before_write(fd, len) ? (int)syscall(SYS_ftruncate, fd, len) : -1;
}

int ftruncate(int, off_t) __attribute__((alias("ftruncate64")));

int posix_fallocate64(int fd, off_t at, off_t len)
{
    if (!before_write(fd, at + len)) {
        return ENOSPC;
    }
    return syscall(SYS_fallocate, fd, 0, at, len) == 0 ? 0 : errno;
}

int posix_fallocate(int, off_t, off_t) __attribute__((alias("posix_fallocate64")));

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    tick();
    return (ssize_t)syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
}

static bool below(const char *path)
{
    return state != NULL && strncmp(path, dir, strlen(dir)) == 0;
}

/* Undone by the test, newest first, if no sync of the directory comes after it. */
static void note_name(const char *what, const char *from, const char *to)
{
    char line[8300], name[4352], parent[4096];
    const char *slash = strrchr(to, '/');
    struct stat st;
    int fd, n;

    (void)snprintf(parent, sizeof parent, "%.*s", (int)(slash - to), to);
    if (stat(parent, &st) != 0) {
        return;
    }
    (void)snprintf(name, sizeof name, "%s/names-%llu", shadow, (unsigned long long)st.st_ino);
    n = snprintf(line, sizeof line, "%s\t%s\t%s\n", what, from, to);
    fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0 && n > 0 && syscall(SYS_write, fd, line, (size_t)n) != n) {
        abort();
    }
    (void)close(fd);
}

int renameat(int a, const char *from, int b, const char *to)
{
    if (below(to)) {
        tick();
        note_name("rename", from, to);
    }
    return (int)syscall(SYS_renameat, a, from, b, to);
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
    int rc;

    if (below(to)) {
        tick();
    }
    rc = (int)syscall(SYS_linkat, a, from, b, to, flags);
    if (rc == 0 && below(to)) {
        note_name("link", from, to);
    }
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    int rc;

    if (below(path)) {
        tick();
    }
    rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (rc == 0 && below(path)) {
        note_name("mkdir", "", path);
    }
    return rc;
}

/* A new file may get the inode of this one: nothing of that is on the disk. */
int unlinkat(int at, const char *path, int flags)
{
    char name[4352];
    struct stat st;

    if (below(path) && stat(path, &st) == 0) {
        tick();
        if (st.st_nlink == 1) {
            (void)snprintf(name, sizeof name, "%s/%llu", shadow, (unsigned long long)st.st_ino);
            (void)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
        }
    }
    return (int)syscall(SYS_unlinkat, at, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

static int open_it(int at, const char *path, int flags, mode_t mode)
{
    if (machine != NULL && strcmp(path, "/etc/machine-id") == 0) {
        path = machine;
    }
    return (int)syscall(SYS_openat, at, path, flags, mode);
}

#define MODE(flags, ret)                                                                           \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                  \
        va_list list;                                                                              \
                                                                                                   \
        va_start(list, flags);                                                                     \
        (ret) = va_arg(list, mode_t);                                                              \
        va_end(list);                                                                              \
    }

int openat(int at, const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE(flags, mode)
    return open_it(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE(flags, mode)
    return open_it(at, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE(flags, mode)
    return open_it(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE(flags, mode)
    return open_it(AT_FDCWD, path, flags, mode);
}
