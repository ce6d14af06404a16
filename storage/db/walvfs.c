/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/db/walvfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"

#define VFS_NAME "ttytrail-wal"
/* SQLite's Unix VFS takes at most 128 KiB - 1 in a call (os_unix.c masks the length with 0x1ffff).
 */
#define HOLD_BYTES  (120 * 1024)
#define FRAME_BYTES 24 /* a frame's header: page number, pages after commit, salts, checksums */
#define WAL_HEADER  32

struct walfile {
    sqlite3_file base;
    uint8_t *held;
    int len;
    sqlite3_int64 at;  /* where held[0] belongs */
    sqlite3_int64 end; /* behind the newest frame: headers before it are rewrites */
    bool commit;       /* the frame whose page comes next ends a transaction */
    /* the system's own file object follows */
};

static sqlite3_file *real(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)((char *)f + sizeof(struct walfile));
}

static int write_out(struct walfile *w)
{
    int rc = SQLITE_OK, len = w->len;

    if (len > 0) {
        w->len = 0;
        rc = real(&w->base)->pMethods->xWrite(real(&w->base), w->held, len, w->at);
    }
    return rc;
}

static int wal_write(sqlite3_file *f, const void *bytes, int len, sqlite3_int64 at)
{
    struct walfile *w = (struct walfile *)(void *)f;
    bool follows = w->len > 0 && at == w->at + w->len;
    bool header = len == FRAME_BYTES && at >= w->end;
    int rc;

    /* Headers of frames that are there already are written again with other checksums, the
     * committing one last and with no page behind it; a new WAL begins with its own header. */
    w->end = at == 0 || at + len > w->end ? at + len : w->end;

    if ((!follows || w->len + len > HOLD_BYTES) && (rc = write_out(w)) != SQLITE_OK) {
        return rc;
    }
    /* The WAL's own header, and rewrites of checksums, go straight through. */
    if (len > HOLD_BYTES || (w->len == 0 && !header)) {
        w->commit = false;
        return real(f)->pMethods->xWrite(real(f), bytes, len, at);
    }
    if (w->len == 0) {
        w->at = at;
    }
    memcpy(w->held + w->len, bytes, (size_t)len);
    w->len += len;
    if (header) {
        w->commit = io_get_be32((const uint8_t *)bytes + 4) != 0;
        return SQLITE_OK;
    }
    return w->commit ? write_out(w) : SQLITE_OK;
}

static int wal_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
    int rc = write_out((struct walfile *)(void *)f);

    return rc != SQLITE_OK ? rc : real(f)->pMethods->xRead(real(f), to, len, at);
}

static int wal_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = write_out((struct walfile *)(void *)f);

    return rc != SQLITE_OK ? rc : real(f)->pMethods->xTruncate(real(f), size);
}

static int wal_sync(sqlite3_file *f, int flags)
{
    int rc = write_out((struct walfile *)(void *)f);

    return rc != SQLITE_OK ? rc : real(f)->pMethods->xSync(real(f), flags);
}

static int wal_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    int rc = write_out((struct walfile *)(void *)f);

    return rc != SQLITE_OK ? rc : real(f)->pMethods->xFileSize(real(f), ret);
}

static int wal_close(sqlite3_file *f)
{
    struct walfile *w = (struct walfile *)(void *)f;
    int rc = write_out(w), rc2 = real(f)->pMethods->xClose(real(f));

    free(w->held);
    w->held = NULL;
    return rc != SQLITE_OK ? rc : rc2;
}

static int wal_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}

static int wal_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int wal_reserved(sqlite3_file *f, int *ret)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), ret);
}

static int wal_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int wal_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int wal_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_reserved,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector,
    .xDeviceCharacteristics = wal_device,
};

/* Other files are the system's alone: its object is made in place. */
static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret)
{
    sqlite3_vfs *base = vfs->pAppData;
    struct walfile *w = (struct walfile *)(void *)f;
    int rc;

    if ((flags & SQLITE_OPEN_WAL) == 0) {
        return base->xOpen(base, name, f, flags, ret);
    }
    memset(w, 0, sizeof *w);
    w->held = malloc(HOLD_BYTES);
    if (w->held == NULL) {
        return SQLITE_NOMEM;
    }
    rc = base->xOpen(base, name, real(f), flags, ret);
    if (rc != SQLITE_OK) {
        free(w->held);
        return rc;
    }
    w->end = WAL_HEADER;
    w->base.pMethods = &wal_methods;
    return SQLITE_OK;
}

/* The one VFS of the process: SQLite keeps a list of them by name. */
static sqlite3_vfs wal_vfs;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void)
{
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);

    if (base == NULL) {
        return;
    }
    wal_vfs = *base;
    wal_vfs.pNext = NULL;
    wal_vfs.zName = VFS_NAME;
    wal_vfs.szOsFile = base->szOsFile + (int)sizeof(struct walfile);
    wal_vfs.xOpen = vfs_open;
    wal_vfs.pAppData = base;
    if (sqlite3_vfs_register(&wal_vfs, 0) != SQLITE_OK) {
        wal_vfs.zName = NULL;
    }
}

const char *walvfs_name(void)
{
    (void)pthread_once(&once, make);
    return wal_vfs.zName;
}
