/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/history.h"

#include <string.h>

#define BITS (256U * 64)

void history_add(struct history *h, struct secrets *secrets, uint32_t ch)
{
    if (h->ring == NULL &&
        (h->ring = secrets_alloc(secrets, HISTORY_SIZE * sizeof *h->ring)) == NULL) {
        return;
    }
    h->ring[h->end++ % HISTORY_SIZE] = ch;
}

void history_free(struct history *h, struct secrets *secrets)
{
    secrets_free(secrets, h->ring);
    memset(h, 0, sizeof *h);
}

static unsigned hash(const uint32_t gram[HISTORY_GRAM])
{
    uint64_t x = 0;

    for (unsigned i = 0; i < HISTORY_GRAM; i++) {
        x = (x ^ gram[i]) * 0x9e3779b97f4a7c15U;
    }
    return (unsigned)(x >> 40) % BITS;
}

static void gram_at(const struct history *h, uint64_t at, uint32_t gram[HISTORY_GRAM])
{
    for (unsigned i = 0; i < HISTORY_GRAM; i++) {
        gram[i] = h->ring[(at + i) % HISTORY_SIZE];
    }
}

void history_summarise(const struct history *h, uint64_t from, uint64_t to,
                       struct history_grams *ret)
{
    uint64_t oldest = h->end > HISTORY_SIZE ? h->end - HISTORY_SIZE : 0;

    memset(ret, 0, sizeof *ret);
    ret->from = from > oldest ? from : oldest;
    ret->to = to < h->end ? to : h->end;
    for (uint64_t at = ret->from; at + HISTORY_GRAM <= ret->to; at++) {
        uint32_t gram[HISTORY_GRAM];
        unsigned bit;

        gram_at(h, at, gram);
        bit = hash(gram);
        ret->bits[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

bool history_has(const struct history *h, const struct history_grams *grams,
                 const uint32_t gram[HISTORY_GRAM])
{
    unsigned bit = hash(gram);

    if ((grams->bits[bit / 64] >> bit % 64 & 1) == 0) {
        return false;
    }
    for (uint64_t at = grams->from; at + HISTORY_GRAM <= grams->to; at++) {
        uint32_t there[HISTORY_GRAM];

        gram_at(h, at, there);
        if (memcmp(there, gram, sizeof there) == 0) {
            return true;
        }
    }
    return false;
}
