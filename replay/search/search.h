/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a pattern in what was seen and typed: in the index where that has a session, else in the
 * session itself.  Hits come newest first.  Knows nothing of how they are shown.
 */
#ifndef TTYTRAIL_REPLAY_SEARCH_SEARCH_H
#define TTYTRAIL_REPLAY_SEARCH_SEARCH_H

#include <regex.h>
#include <stdbool.h>

#include "common/err.h"
#include "replay/expression.h"
#include "replay/search/index.h"

#define SEARCH_PATTERN 1024U /* bytes of a pattern, at most */

struct search_hit {
    const struct session_row *session;
    const struct seen_line *line; /* text ends with a NUL here */
    size_t from, to;              /* the first match in it, in bytes */
};

struct search {
    struct reader *reader;
    struct index *index; /* NULL: without one, every session is looked through */
    const struct expression *expression;
    const char *pattern;
    bool fixed, icase;
    bool output, screens, input;                          /* where to look */
    int (*hit)(void *user, const struct search_hit *hit); /* non-zero ends the search */
    /* Sessions or blocks looked at; ${all} 0: not known. */
    void (*progress)(void *user, int64_t done, int64_t all);
    void *user;
};

/** search_run(s, err): 0 everything was looked at; s->hit's result; -1.  USAGE for a pattern that
 * is none. */
int search_run(const struct search *s, struct error *err);

#endif
