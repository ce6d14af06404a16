/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and files: whole reads and writes, bounded file reading, atomic replacement,
 * directories. Every descriptor is born CLOEXEC; what is written is opened O_NOFOLLOW (what is read
 * may be a link: people link their configuration and keys). Knows nothing of what the bytes mean.
 * Also here, since everybody needs them: big-endian integers and hex.
 */
#ifndef TTYTRAIL_COMMON_IO_H
#define TTYTRAIL_COMMON_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/source.h"

/** io_write_all(fd, bytes, len, err): Write everything, over EINTR and short writes. */
int io_write_all(int fd, const void *bytes, size_t len, struct error *err);
/** io_read_file(dirfd, path, max_bytes, ret, err): Append the file's content to ${ret}; LIMIT when
 * it is larger than ${max_bytes}.  Refuses what is not a regular file. */
int io_read_file(int dirfd, const char *path, size_t max_bytes, struct buf *ret, struct error *err);
/** io_replace_file(dirfd, path, mode, bytes, len, err): Write beside ${path}, fsync, rename over
 * it, fsync the directory: readers see the old or the new content, never a part. */
int io_replace_file(int dirfd, const char *path, mode_t mode, const void *bytes, size_t len,
                    struct error *err);
/** io_create_file(dirfd, path, mode, bytes, len, err): As io_replace_file, but errno EEXIST (kind
 * SYSTEM, code EEXIST) when ${path} exists: nothing is ever overwritten. */
int io_create_file(int dirfd, const char *path, mode_t mode, const void *bytes, size_t len,
                   struct error *err);
/** io_create_from(dirfd, path, mode, source, check, user, err): As io_create_file with bytes that
 * are read as they are written; ${check} sees them on their way, and once more with none (NULL, 0)
 * before the file gets its name. */
int io_create_from(int dirfd, const char *path, mode_t mode, const struct source *source,
                   int (*check)(void *user, const void *bytes, size_t len, struct error *err),
                   void *user, struct error *err);
/** io_sync_dir_of(dirfd, path, err): Make the names in the directory of ${path} durable. */
int io_sync_dir_of(int dirfd, const char *path, struct error *err);
/** io_mkdirs(path, mode, err): mkdir -p. */
int io_mkdirs(const char *path, mode_t mode, struct error *err);

static inline void io_put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void io_put_be32(uint8_t *p, uint32_t v)
{
    io_put_be16(p, (uint16_t)(v >> 16));
    io_put_be16(p + 2, (uint16_t)v);
}
static inline void io_put_be64(uint8_t *p, uint64_t v)
{
    io_put_be32(p, (uint32_t)(v >> 32));
    io_put_be32(p + 4, (uint32_t)v);
}
static inline uint16_t io_get_be16(const uint8_t *p)
{
    return (uint16_t)((uint16_t)(p[0] << 8) | p[1]);
}
static inline uint32_t io_get_be32(const uint8_t *p)
{
    return ((uint32_t)io_get_be16(p) << 16) | io_get_be16(p + 2);
}
static inline uint64_t io_get_be64(const uint8_t *p)
{
    return ((uint64_t)io_get_be32(p) << 32) | io_get_be32(p + 4);
}

/** io_hex(bytes, len, out): Lower-case hex and a NUL into ${out} (2*len+1 bytes); returns ${out}.
 */
char *io_hex(const uint8_t *bytes, size_t len, char *out);
/** io_unhex(text, out, len): Exactly 2*${len} hex digits of ${text} (more must not follow) into
 * ${out}; -1 otherwise. */
int io_unhex(const char *text, uint8_t *out, size_t len);

#endif
