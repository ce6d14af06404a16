/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: calls that fail.  CALLFAULT=FILE is a table that the test maps too and every
 * process shares: of one kind of call the ${at}th fails, and ${many} behind it, in the program
 * whose name is CALLFAULT_NAME.  Kind 1: what makes files below CALLFAULT_DIR grow, or syncs them
 * (ENOSPC); 2: memory.  At any time ${ahead_us} is added to the wall clock of all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct table {
    atomic_llong kind, at, many; /* set by the test; many: -1 for ever */
    atomic_llong count, failed;  /* calls of that kind, and how many of them failed */
    atomic_llong ahead_us;
};

enum { GROW = 1, MEMORY = 2 };

static struct table *table;
static bool named;
static const char *dir;

extern char *program_invocation_short_name;
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CALLFAULT"), *name = getenv("CALLFAULT_NAME");
    int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *at;

    dir = getenv("CALLFAULT_DIR");
    if (fd < 0) {
        return;
    }
    at = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (at != MAP_FAILED) {
        table = at;
        named = name != NULL && strcmp(name, program_invocation_short_name) == 0;
    }
}

static bool fails(long long kind)
{
    long long n, at, many;

    if (table == NULL || !named || atomic_load(&table->kind) != kind) {
        return false;
    }
    n = atomic_fetch_add(&table->count, 1) + 1;
    at = atomic_load(&table->at);
    many = atomic_load(&table->many);
    if (at == 0 || n < at || (many >= 0 && n >= at + many)) {
        return false;
    }
    (void)atomic_fetch_add(&table->failed, 1);
    return true;
}

/* ---- room ---- */

static bool below(int fd)
{
    char link[64], path[4096];
    ssize_t n;

    if (table == NULL || !named || dir == NULL || atomic_load(&table->kind) != GROW) {
        return false;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    return n > 0 && strncmp(path, dir, strlen(dir)) == 0;
}

static bool full(int fd)
{
    int before = errno;

    if (below(fd) && fails(GROW)) {
        errno = ENOSPC;
        return true;
    }
    errno = before;
    return false;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
    return full(fd) ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t pwrite(int, const void *, size_t, off_t) __attribute__((alias("pwrite64")));

ssize_t write(int fd, const void *bytes, size_t len)
{
    return full(fd) ? -1 : (ssize_t)syscall(SYS_write, fd, bytes, len);
}

int ftruncate64(int fd, off_t len)
{
    return full(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate(int, off_t) __attribute__((alias("ftruncate64")));

int posix_fallocate64(int fd, off_t at, off_t len)
{
    if (full(fd)) {
        return ENOSPC;
    }
    return syscall(SYS_fallocate, fd, 0, at, len) == 0 ? 0 : errno;
}

int posix_fallocate(int, off_t, off_t) __attribute__((alias("posix_fallocate64")));

int fsync(int fd)
{
    return full(fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return full(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

/* The -shm has grown by a write; then it is mapped. */
void *mmap64(void *where, size_t len, int prot, int flags, int fd, off_t at)
{
    if (fd >= 0 && (prot & PROT_WRITE) != 0 && full(fd)) {
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, where, len, prot, flags, fd, at);
}

void *mmap(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap64")));

/* ---- memory ---- */

static bool none(void)
{
    if (!fails(MEMORY)) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t len)
{
    return none() ? NULL : __libc_malloc(len);
}

void *calloc(size_t n, size_t len)
{
    return none() ? NULL : __libc_calloc(n, len);
}

void *realloc(void *old, size_t len)
{
    return len > 0 && none() ? NULL : __libc_realloc(old, len);
}

void *reallocarray(void *old, size_t n, size_t len)
{
    size_t all;

    if (__builtin_mul_overflow(n, len, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, all);
}

int posix_memalign(void **ret, size_t to, size_t len)
{
    void *p = none() ? NULL : __libc_memalign(to, len);

    if (p == NULL) {
        return ENOMEM;
    }
    *ret = p;
    return 0;
}

void *aligned_alloc(size_t to, size_t len)
{
    return none() ? NULL : __libc_memalign(to, len);
}

char *strndup(const char *text, size_t most)
{
    size_t len = strnlen(text, most);
    char *copy = malloc(len + 1);

    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *strdup(const char *text)
{
    return strndup(text, strlen(text));
}

/* ---- the clock ---- */

int clock_gettime(clockid_t which, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, which, t);

    if (rc == 0 && which == CLOCK_REALTIME && table != NULL) {
        t->tv_sec += (time_t)(atomic_load(&table->ahead_us) / 1000000);
    }
    return rc;
}
