/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/needles.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS 65536U

struct word {
    char *text;
    size_t len;
    uint32_t next; /* of those whose window ends with the same pair, from 1; 0: the last */
};

/* A window of ${least} bytes moves over the text.  The pair at its end says how far it may be moved
 * without missing the beginning of a word; not at all: then the words of that pair are compared. */
struct needles {
    size_t n, least;
    struct word *words;
    uint8_t shift[PAIRS];
    uint32_t first[PAIRS];
};

static unsigned pair_at(const char *p)
{
    return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static void enter(struct needles *s, uint32_t which)
{
    struct word *w = &s->words[which];

    for (size_t at = 0; at + 2 <= s->least; at++) {
        uint8_t *shift = &s->shift[pair_at(w->text + at)];
        uint8_t left = (uint8_t)(s->least - 2 - at);

        *shift = left < *shift ? left : *shift;
    }
    w->next = s->first[pair_at(w->text + s->least - 2)];
    s->first[pair_at(w->text + s->least - 2)] = which + 1;
}

int needles_make(struct needles **ret, const char *const *words, size_t n, struct error *err)
{
    struct needles *s = calloc(1, sizeof *s);

    if (s == NULL || n > UINT32_MAX - 1 || (s->words = calloc(n + 1, sizeof *s->words)) == NULL) {
        free(s);
        return err_sys(err, "allocate");
    }
    s->least = 128; /* what a shift can say */
    for (; s->n < n; s->n++) {
        struct word *w = &s->words[s->n];

        w->len = strlen(words[s->n]);
        if (w->len < NEEDLES_SHORTEST) {
            err_set(err, ERR_USAGE, "'%s' is too short to be searched for", words[s->n]);
            needles_free(s);
            return -1;
        }
        if ((w->text = strdup(words[s->n])) == NULL) {
            needles_free(s);
            return err_sys(err, "allocate");
        }
        s->least = w->len < s->least ? w->len : s->least;
    }
    memset(s->shift, (int)(s->least - 1), sizeof s->shift);
    for (uint32_t i = 0; i < n; i++) {
        enter(s, i);
    }
    *ret = s;
    return 0;
}

void needles_free(struct needles *n)
{
    if (n != NULL) {
        for (size_t i = 0; i < n->n; i++) {
            free(n->words[i].text);
        }
        free(n->words);
        free(n);
    }
}

static bool one_at(const struct needles *n, const char *p, const char *end)
{
    for (uint32_t i = n->first[pair_at(p + n->least - 2)]; i != 0; i = n->words[i - 1].next) {
        const struct word *w = &n->words[i - 1];

        if ((size_t)(end - p) >= w->len && memcmp(p, w->text, w->len) == 0) {
            return true;
        }
    }
    return false;
}

bool needles_any(const struct needles *n, const char *text, size_t len)
{
    const char *p = text, *end = text + len;

    if (n->n == 0) {
        return false;
    }
    while ((size_t)(end - p) >= n->least) {
        uint8_t shift = n->shift[pair_at(p + n->least - 2)];

        if (shift != 0) {
            p += shift;
        } else if (one_at(n, p, end)) {
            return true;
        } else {
            p++;
        }
    }
    return false;
}
