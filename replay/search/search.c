/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/search/search.h"

#include <stdlib.h>
#include <string.h>

#include "replay/search/block.h"
#include "replay/search/literals.h"

#define LINE_MAX_BYTES 65536U
#define KEPT_MAX                                                                                   \
    (16U * 1024 * 1024) /* hits that wait for their order; more are told as they come */
#define QUERY_MAX 65536U

/* Hits of one block or session, to be told last first. */
struct kept {
    struct seen_line line; /* text: an offset into `text` */
    size_t at, from, to;
};

struct run {
    const struct search *s;
    regex_t regex;
    struct session_row row; /* the block's session */
    bool has_row, wanted;
    struct kept *kept;
    size_t n, cap;
    struct buf text, line; /* of kept lines; one line with its NUL */
    int64_t done, all;
    struct error *err;
};

/* ---- a line ---- */

static bool looks_there(const struct search *s, enum seen_kind kind)
{
    return kind == SEEN_OUTPUT ? s->output : kind == SEEN_SCREEN ? s->screens : s->input;
}

static int keep(struct run *r, const struct seen_line *l, size_t from, size_t to)
{
    if (r->n == r->cap) {
        size_t cap = r->cap == 0 ? 64 : r->cap * 2;
        struct kept *more = reallocarray(r->kept, cap, sizeof *more);

        if (more == NULL) {
            return err_sys(r->err, "keep hits");
        }
        r->kept = more;
        r->cap = cap;
    }
    r->kept[r->n++] = (struct kept){.line = *l, .at = r->text.len, .from = from, .to = to};
    return buf_append(&r->text, l->text, l->len, r->err) != 0 ? -1
                                                              : buf_putc(&r->text, '\0', r->err);
}

static int tell_kept(struct run *r);

static int on_line(void *user, const struct seen_line *l)
{
    struct run *r = user;
    regmatch_t m = {.rm_so = 0};
    const char *text;

    if (l->len == 0 || !looks_there(r->s, l->kind)) {
        return 0;
    }
    buf_reset(&r->line);
    if (buf_append(&r->line, l->text, l->len, r->err) != 0 ||
        (text = buf_text(&r->line, r->err)) == NULL) {
        return -1;
    }
    if (regexec(&r->regex, text, 1, &m, 0) != 0) {
        return 0;
    }
    if (keep(r, l, (size_t)m.rm_so, (size_t)m.rm_eo) != 0) {
        return -1;
    }
    return r->text.len > KEPT_MAX ? tell_kept(r) : 0;
}

/* The newest first. */
static int tell_kept(struct run *r)
{
    int rc = 0;

    while (r->n > 0 && rc == 0) {
        struct kept *k = &r->kept[--r->n];
        struct search_hit hit = {
            .session = &r->row, .line = &k->line, .from = k->from, .to = k->to};

        k->line.text = (const char *)buf_data(&r->text) + k->at;
        rc = r->s->hit(r->s->user, &hit);
    }
    r->n = 0;
    buf_reset(&r->text);
    return rc;
}

/* ---- blocks ---- */

static int find_row(struct run *r, const uint8_t id[CHAIN_ID])
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * CHAIN_ID + 1] = "";

    if (r->has_row && memcmp(r->row.id, id, CHAIN_ID) == 0) {
        return 0;
    }
    for (size_t i = 0; i < CHAIN_ID; i++) {
        hex[2 * i] = digits[id[i] >> 4];
        hex[2 * i + 1] = digits[id[i] & 15];
    }
    session_row_clear(&r->row);
    session_row_init(&r->row);
    r->has_row = reader_find(r->s->reader, hex, &r->row, r->err) == 0;
    r->wanted = r->has_row && expression_match(r->s->expression, &r->row);
    if (!r->has_row && r->err->kind != ERR_USAGE) {
        return -1;
    }
    err_clear(r->err); /* gone meanwhile: the next update drops it */
    return 0;
}

static int on_block(void *user, const struct index_block *b)
{
    struct run *r = user;

    if (r->s->progress != NULL && ++r->done % 64 == 0) {
        r->s->progress(r->s->user, r->done, r->all);
    }
    if (find_row(r, b->session) != 0) {
        return -1;
    }
    if (!r->wanted) {
        return 0;
    }
    return block_lines(b->lines, on_line, r, r->err) != 0 ? -1 : tell_kept(r);
}

/* ---- sessions that the index does not have ---- */

struct rest {
    struct run *r;
    int64_t *rows;
    size_t n;
};

static int on_session(void *user, const struct session_row *s)
{
    struct rest *rest = user;
    struct run *r = rest->r;
    int has = r->s->index == NULL ? 0 : index_has(r->s->index, s->id, r->err);
    int64_t *more;

    if (has != 0 || strcmp(s->kind, "host") == 0 || !expression_match(r->s->expression, s)) {
        return has < 0 ? -1 : 0;
    }
    more = reallocarray(rest->rows, rest->n + 1, sizeof *more);
    if (more == NULL) {
        return err_sys(r->err, "list sessions");
    }
    rest->rows = more;
    rest->rows[rest->n++] = s->row;
    return 0;
}

static int look_through(struct run *r, int64_t row)
{
    const struct seen_config c = {
        .screens = r->s->screens, .input = r->s->input, .line = on_line, .user = r};
    struct timeline *events = NULL;
    int rc;

    session_row_clear(&r->row);
    session_row_init(&r->row);
    r->has_row = false;
    rc = reader_session(r->s->reader, row, &r->row, r->err);
    if (rc != 1) {
        return rc;
    }
    if (timeline_open_session(&events, r->s->reader, &r->row, r->err) != 0) {
        return -1;
    }
    rc = seen_walk(events, &c, r->err);
    timeline_close(events);
    return rc != 0 ? rc : tell_kept(r);
}

static int search_rest(struct run *r)
{
    struct rest rest = {.r = r};
    int rc = reader_sessions(r->s->reader, on_session, &rest, r->err);

    for (size_t i = rest.n; rc == 0 && i > 0; i--) {
        if (r->s->progress != NULL) {
            r->s->progress(r->s->user, (int64_t)(rest.n - i), (int64_t)rest.n);
        }
        rc = look_through(r, rest.rows[i - 1]);
    }
    free(rest.rows);
    return rc;
}

/* ---- all of it ---- */

static int search_index(struct run *r)
{
    struct buf query;
    int rc = -1, narrow;

    buf_init(&query, QUERY_MAX);
    narrow = literals_query(r->s->pattern, r->s->fixed, &query, r->err);
    r->done = 0;
    if (narrow == 0) {
        (void)index_count(r->s->index, &r->all, NULL);
    }
    if (narrow >= 0 && (narrow == 0 || buf_text(&query, r->err) != NULL)) {
        rc = index_blocks(r->s->index, narrow == 1 ? buf_text(&query, NULL) : NULL, on_block, r,
                          r->err);
    }
    buf_clear(&query);
    return rc;
}

/* A text as an expression: whatever means something is escaped. */
static int compile(const struct search *s, regex_t *ret, struct error *err)
{
    char pattern[2 * SEARCH_PATTERN + 1], why[120];
    size_t n = 0;
    int code;

    if (strlen(s->pattern) > SEARCH_PATTERN || *s->pattern == '\0') {
        return err_set(err, ERR_USAGE, "a pattern has 1 to %u bytes", SEARCH_PATTERN);
    }
    for (const char *p = s->pattern; *p != '\0'; p++) {
        if (s->fixed && strchr("\\^$.[]|()*+?{}", *p) != NULL) {
            pattern[n++] = '\\';
        }
        pattern[n++] = *p;
    }
    pattern[n] = '\0';
    code = regcomp(ret, pattern, REG_EXTENDED | (s->icase ? REG_ICASE : 0));
    if (code != 0) {
        (void)regerror(code, ret, why, sizeof why);
        return err_set(err, ERR_USAGE, "no regular expression (regex(7)): %s; -F takes it as text",
                       why);
    }
    return 0;
}

int search_run(const struct search *s, struct error *err)
{
    struct run r = {.s = s, .err = err};
    int rc;

    if (compile(s, &r.regex, err) != 0) {
        return -1;
    }
    session_row_init(&r.row);
    buf_init(&r.text, KEPT_MAX + 2 * LINE_MAX_BYTES);
    buf_init(&r.line, LINE_MAX_BYTES + 1);
    rc = search_rest(&r);
    if (rc == 0 && s->index != NULL) {
        rc = search_index(&r);
    }
    session_row_clear(&r.row);
    buf_clear(&r.text);
    buf_clear(&r.line);
    free(r.kept);
    regfree(&r.regex);
    return rc;
}
