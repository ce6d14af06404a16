/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/secrets.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif
#ifdef POISONS
#include <sanitizer/asan_interface.h>
#define FENCE 64U /* behind each allocation, for the sanitizer to see who climbs over it */
#else
#define FENCE                             0U
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define REGION 262144U
#define ALIGN  alignof(max_align_t)

#ifndef PR_SET_VMA /* linux/prctl.h since 5.17 */
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

struct secrets_region {
    struct secrets_region *next;
    size_t size, used, live; /* bytes mapped, bytes given out so far, allocations not freed */
};

struct head {
    alignas(max_align_t) struct secrets_region *region;
    size_t size;
};

static size_t rounded(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static struct secrets_region *map_region(struct secrets *s, size_t least)
{
    size_t size = rounded(least + rounded(sizeof(struct secrets_region), ALIGN), REGION);
    struct secrets_region *r;

    if (least > SECRETS_MAX || s->total + size > SECRETS_MAX) {
        return NULL;
    }
    r = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r == MAP_FAILED) {
        return NULL;
    }
    /* As pages are touched: most sessions need few of them (mlock2(2)). */
    if (mlock2(r, size, MLOCK_ONFAULT) != 0) {
        s->unlocked = true;
    }
    (void)madvise(r, size, MADV_DONTDUMP);
    (void)madvise(r, size, MADV_WIPEONFORK);
    (void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, r, size, "ttytrail-secret");
    r->size = size;
    r->used = rounded(sizeof *r, ALIGN);
    r->next = s->regions;
    s->regions = r;
    s->total += size;
    return r;
}

void *secrets_alloc(struct secrets *s, size_t size)
{
    struct secrets_region *r = s->regions;
    struct head *h;
    size_t need;

    if (size > SECRETS_MAX) {
        return NULL;
    }
    need = sizeof *h + rounded(size, ALIGN) + FENCE;
    if ((r == NULL || r->size - r->used < need) && (r = map_region(s, need)) == NULL) {
        return NULL;
    }
    h = (struct head *)(void *)((uint8_t *)r + r->used);
    h->region = r;
    h->size = size;
    r->used += need;
    r->live++;
    ASAN_POISON_MEMORY_REGION((uint8_t *)(h + 1) + rounded(size, ALIGN), FENCE);
    return h + 1;
}

static void unmap(struct secrets *s, struct secrets_region *r)
{
    struct secrets_region **at = &s->regions;

    while (*at != r) {
        at = &(*at)->next;
    }
    *at = r->next;
    s->total -= r->size;
    (void)munmap(r, r->size);
}

void secrets_free(struct secrets *s, void *p)
{
    struct head *h = p;
    struct secrets_region *r;
    size_t whole;

    if (p == NULL) {
        return;
    }
    h--;
    r = h->region;
    whole = sizeof *h + rounded(h->size, ALIGN) + FENCE;
    ASAN_UNPOISON_MEMORY_REGION(h, whole);
    /* The newest allocation goes back to the region: a screen that is resized again and again. */
    if ((uint8_t *)h + whole == (uint8_t *)r + r->used) {
        r->used -= whole;
    }
    explicit_bzero(h, whole);
    if (--r->live == 0) {
        unmap(s, r);
    }
}

void secrets_close(struct secrets *s)
{
    while (s->regions != NULL) {
        struct secrets_region *r = s->regions;

        ASAN_UNPOISON_MEMORY_REGION(r, r->size);
        explicit_bzero((uint8_t *)r + sizeof *r, r->used - sizeof *r);
        unmap(s, r);
    }
}
