/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's calls to the system, failing as callfault.c's table says (kind 3), under a writer that
 * is linked with this file and is otherwise the real one.  Made the default VFS before main begins,
 * so the writer's own lies upon it.  ${code}: 0 the error that belongs to the call (and half of
 * what was to be written is), 1 a full disk or a lock that is held, 2 no memory.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KIND = 3 };

struct table {
    atomic_llong kind, at, many, count, failed, ahead_us, code;
};

struct vfile {
    sqlite3_file base; /* the system's own file object follows */
};

static struct table *table;

static sqlite3_file *under(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)((char *)f + sizeof(struct vfile));
}

/* SQLITE_OK, or the error that this call is to have. */
static int fault(int own, int other)
{
    static const int memory = SQLITE_IOERR_NOMEM;
    long long n, at, many;

    if (table == NULL || atomic_load(&table->kind) != KIND) {
        return SQLITE_OK;
    }
    n = atomic_fetch_add(&table->count, 1) + 1;
    at = atomic_load(&table->at);
    many = atomic_load(&table->many);
    if (at == 0 || n < at || (many >= 0 && n >= at + many)) {
        return SQLITE_OK;
    }
    (void)atomic_fetch_add(&table->failed, 1);
    switch (atomic_load(&table->code)) {
    case 0:
        return own;
    case 1:
        return other;
    default:
        return memory;
    }
}

#define FAULT(own, other)                                                                          \
    do {                                                                                           \
        int rc_ = fault(own, other);                                                               \
        if (rc_ != SQLITE_OK) {                                                                    \
            return rc_;                                                                            \
        }                                                                                          \
    } while (0)

static int f_close(sqlite3_file *f)
{
    return under(f)->pMethods->xClose(under(f));
}

static int f_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
    FAULT(SQLITE_IOERR_READ, SQLITE_IOERR_READ);
    return under(f)->pMethods->xRead(under(f), to, len, at);
}

static int f_write(sqlite3_file *f, const void *bytes, int len, sqlite3_int64 at)
{
    int rc = fault(SQLITE_IOERR_WRITE, SQLITE_FULL);

    if (rc == SQLITE_IOERR_WRITE) {
        (void)under(f)->pMethods->xWrite(under(f), bytes, len / 2, at);
    }
    return rc != SQLITE_OK ? rc : under(f)->pMethods->xWrite(under(f), bytes, len, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    FAULT(SQLITE_IOERR_TRUNCATE, SQLITE_FULL);
    return under(f)->pMethods->xTruncate(under(f), size);
}

static int f_sync(sqlite3_file *f, int flags)
{
    FAULT(SQLITE_IOERR_FSYNC, SQLITE_FULL);
    return under(f)->pMethods->xSync(under(f), flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    FAULT(SQLITE_IOERR_FSTAT, SQLITE_IOERR_FSTAT);
    return under(f)->pMethods->xFileSize(under(f), ret);
}

static int f_lock(sqlite3_file *f, int level)
{
    FAULT(SQLITE_IOERR_LOCK, SQLITE_BUSY);
    return under(f)->pMethods->xLock(under(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
    return under(f)->pMethods->xUnlock(under(f), level);
}

static int f_reserved(sqlite3_file *f, int *ret)
{
    FAULT(SQLITE_IOERR_CHECKRESERVEDLOCK, SQLITE_IOERR_CHECKRESERVEDLOCK);
    return under(f)->pMethods->xCheckReservedLock(under(f), ret);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return under(f)->pMethods->xFileControl(under(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
    return under(f)->pMethods->xSectorSize(under(f));
}

static int f_device(sqlite3_file *f)
{
    return under(f)->pMethods->xDeviceCharacteristics(under(f));
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    FAULT(SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMSIZE);
    return under(f)->pMethods->xShmMap(under(f), page, size, extend, ret);
}

static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    if ((flags & SQLITE_SHM_LOCK) != 0) {
        FAULT(SQLITE_IOERR_SHMLOCK, SQLITE_BUSY);
    }
    return under(f)->pMethods->xShmLock(under(f), at, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
    under(f)->pMethods->xShmBarrier(under(f));
}

static int f_shm_unmap(sqlite3_file *f, int remove)
{
    return under(f)->pMethods->xShmUnmap(under(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_device,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret)
{
    sqlite3_vfs *base = vfs->pAppData;
    int rc;

    f->pMethods = NULL;
    FAULT(SQLITE_CANTOPEN, SQLITE_CANTOPEN);
    rc = base->xOpen(base, name, under(f), flags, ret);
    f->pMethods = under(f)->pMethods != NULL ? &methods : NULL;
    return rc;
}

static int v_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    sqlite3_vfs *base = vfs->pAppData;

    FAULT(SQLITE_IOERR_DELETE, SQLITE_IOERR_DELETE);
    return base->xDelete(base, name, sync);
}

static int v_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    sqlite3_vfs *base = vfs->pAppData;

    FAULT(SQLITE_IOERR_ACCESS, SQLITE_IOERR_ACCESS);
    return base->xAccess(base, name, flags, ret);
}

__attribute__((constructor)) static void begin(void)
{
    static sqlite3_vfs mine;
    const char *path = getenv("CALLFAULT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    void *at;

    if (fd < 0 || base == NULL) {
        return;
    }
    at = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (at == MAP_FAILED) {
        return;
    }
    table = at;
    mine = *base;
    mine.pNext = NULL;
    mine.zName = "ttytrail-fault";
    mine.szOsFile = base->szOsFile + (int)sizeof(struct vfile);
    mine.pAppData = base;
    mine.xOpen = v_open;
    mine.xDelete = v_delete;
    mine.xAccess = v_access;
    (void)sqlite3_vfs_register(&mine, 1);
}
