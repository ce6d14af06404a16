/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/arena.h"

#include <string.h>
#include <sys/mman.h>

int arena_open(struct arena *a, struct error *err)
{
    void *mem = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(a, 0, sizeof *a);
    if (mem == MAP_FAILED) {
        return err_sys(err, "map memory for typed bytes");
    }
    a->mem = mem;
    a->locked = mlock(mem, ARENA_SIZE) == 0;
    (void)madvise(mem, ARENA_SIZE, MADV_DONTDUMP);
    (void)madvise(mem, ARENA_SIZE, MADV_WIPEONFORK);
    return 0;
}

void arena_close(struct arena *a)
{
    if (a->mem != NULL) {
        explicit_bzero(a->mem, ARENA_SIZE);
        (void)munmap(a->mem, ARENA_SIZE);
        memset(a, 0, sizeof *a);
    }
}

size_t arena_space(struct arena *a, uint8_t **ret)
{
    if (a->off > 0 && a->off + a->len == ARENA_SIZE) {
        size_t old = a->off;

        memmove(a->mem, a->mem + old, a->len);
        explicit_bzero(a->mem + a->len, old);
        a->off = 0;
    }
    *ret = a->mem + a->off + a->len;
    return ARENA_SIZE - a->off - a->len;
}

void arena_filled(struct arena *a, size_t n)
{
    a->len += n;
}

void arena_drop(struct arena *a, size_t n)
{
    explicit_bzero(a->mem + a->off, n);
    a->off += n;
    a->len -= n;
    if (a->len == 0) {
        a->off = 0;
    }
}
