/* SPDX-License-Identifier: Apache-2.0 */
/* The same as trail/split.c of a whole text, a byte at a time: what the fast one is compared with.
 */
#ifndef TTYTRAIL_TESTS_UNIT_SPLIT_SLOW_H
#define TTYTRAIL_TESTS_UNIT_SPLIT_SLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "trail/split.h"

struct slow {
    const char *text;
    size_t at, len, open; /* open: where the record began */
    uint64_t depth, base, too_long;
    bool begun, string, escaped, in_record, in_list;
    void (*cb)(void *user, const char *text, size_t len);
    void *user;
};

static inline bool slow_is_list(const struct slow *s)
{
    size_t i = s->at;
    bool colon = false;

    while (i > s->open && memchr(" \t\r\n:", s->text[i - 1], 5) != NULL) {
        colon = colon || s->text[i - 1] == ':';
        i--;
    }
    return colon && i - s->open >= 9 && memcmp(s->text + i - 9, "\"Records\"", 9) == 0;
}

static inline void slow_open(struct slow *s)
{
    char c = s->text[s->at];

    if (s->depth == 0 && !s->begun) {
        s->begun = true;
        s->base = c == '[';
    }
    if (s->depth == 1 && s->in_record && s->base == 0) {
        if (c == '[' && s->at - s->open <= SPLIT_MAX && slow_is_list(s)) {
            s->in_list = true;
            s->in_record = false;
            s->base = 2;
        }
    } else if (s->depth == s->base && !s->in_record) {
        s->in_record = true;
        s->open = s->at;
    }
    s->depth++;
}

static inline bool slow_close(struct slow *s)
{
    if (s->depth == 0) {
        return false;
    }
    s->depth--;
    if (s->in_record && s->depth == s->base) {
        s->in_record = false;
        if (s->at + 1 - s->open > SPLIT_MAX) {
            s->too_long++;
        } else {
            s->cb(s->user, s->text + s->open, s->at + 1 - s->open);
        }
    } else if (s->in_list && s->depth == 1) {
        s->base = UINT64_MAX;
    } else if (s->depth == 0 && s->in_list) {
        s->in_list = false;
        s->base = 0;
    }
    return true;
}

/* Whether it was taken whole. */
static inline bool slow_split(struct slow *s)
{
    for (s->at = 0; s->at < s->len; s->at++) {
        char c = s->text[s->at];

        bool escaped = s->escaped;

        s->escaped = false;
        if (escaped && (c == '"' || c == '\\')) {
            continue;
        }
        if (c == '\\') {
            s->escaped = true;
        } else if (c == '"') {
            s->string = !s->string;
        } else if (!s->string && (c == '{' || c == '[')) {
            slow_open(s);
        } else if (!s->string && (c == '}' || c == ']') && !slow_close(s)) {
            return false;
        }
    }
    return s->begun && s->depth == 0 && !s->string;
}

#endif
