/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "screen/screen.h"
#include "screen/text.h"

#define COLS           80
#define ROWS           24
#define LINE_MAX_BYTES 65536U
#define STILL_US       100000U /* nothing came for so long: what stands there is seen */
#define KNOWN          8192U   /* rows of full-screen programs that are not told again */

struct walk {
    const struct seen_config *config;
    struct screen *screen; /* NULL: a session without a terminal */
    struct buf line, typed, stream;
    uint64_t now_us, typed_us;
    /* when rows were written last, by their absolute number */
    struct {
        int64_t row;
        uint64_t t_us;
    } written[SCREEN_MAX_ROWS];
    int64_t row; /* where the cursor was */
    uint64_t known[KNOWN];
    size_t n_known;
    bool moved; /* a full screen changed since it was looked at */
    int rc;
    struct error *err;
};

static void tell(struct walk *w, enum seen_kind kind, uint64_t t_us, const struct buf *text)
{
    const struct seen_line l = {
        .kind = kind, .t_us = t_us, .text = (const char *)buf_data(text), .len = text->len};

    if (w->rc == 0) {
        w->rc = w->config->line(w->config->user, &l);
    }
}

static void take_row(struct walk *w, int row)
{
    buf_reset(&w->line);
    if (w->rc == 0 && screen_text(w->screen, row, &w->line, w->err) != 0) {
        w->rc = -1;
    }
}

static uint64_t written_at(const struct walk *w, int row)
{
    int64_t abs = row + screen_scrolled(w->screen);
    size_t slot = (size_t)(abs % SCREEN_MAX_ROWS);

    return w->written[slot].row == abs ? w->written[slot].t_us : w->now_us;
}

static void on_leave(void *user, int row)
{
    struct walk *w = user;

    take_row(w, row);
    tell(w, SEEN_OUTPUT, written_at(w, row), &w->line);
}

/* The rows that the cursor went over in what was just shown. */
static void note_written(struct walk *w)
{
    int64_t top = screen_scrolled(w->screen), now, from, to;
    int row, col;

    screen_cursor(w->screen, &row, &col);
    now = top + row;
    from = w->row < now ? w->row : now;
    to = w->row < now ? now : w->row;
    from = from > top ? from : top;
    for (int64_t abs = from; abs <= to && abs < from + SCREEN_MAX_ROWS; abs++) {
        w->written[abs % SCREEN_MAX_ROWS].row = abs;
        w->written[abs % SCREEN_MAX_ROWS].t_us = w->now_us;
    }
    w->row = now;
}

/* ---- full screens ---- */

static uint64_t hash_of(const struct buf *b)
{
    const uint8_t *p = buf_data(b);
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

    for (size_t i = 0; i < b->len; i++) {
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    }
    return h == 0 ? 1 : h;
}

static bool is_new(struct walk *w, uint64_t hash)
{
    size_t at = (size_t)(hash % KNOWN);

    if (w->n_known > KNOWN / 2) {
        memset(w->known, 0, sizeof w->known);
        w->n_known = 0;
    }
    while (w->known[at] != 0) {
        if (w->known[at] == hash) {
            return false;
        }
        at = (at + 1) % KNOWN;
    }
    w->known[at] = hash;
    w->n_known++;
    return true;
}

static void look_at_screen(struct walk *w)
{
    w->moved = false;
    for (int row = 0; row < screen_rows(w->screen); row++) {
        take_row(w, row);
        if (w->line.len > 0 && is_new(w, hash_of(&w->line))) {
            tell(w, SEEN_SCREEN, w->now_us, &w->line);
        }
    }
}

/* ---- events ---- */

/* Only what can be shown: of bytes in no order. */
static int put_shown(struct buf *out, const uint8_t *p, size_t len, struct error *err)
{
    for (size_t at = 0; at < len;) {
        size_t n = utf8_printable(p + at, len - at);
        bool plain = n > 0 || p[at] == '\t';

        n = n > 0 ? n : 1;
        if (buf_append(out, plain ? (const char *)p + at : "\xef\xbf\xbd", plain ? n : 3, err) !=
            0) {
            return -1;
        }
        at += n;
    }
    return 0;
}

/* Bytes up to each ${end}, kept in ${b} until it comes. */
static void take_lines(struct walk *w, struct buf *b, enum seen_kind kind, uint64_t *began,
                       const struct timeline_event *ev, char end)
{
    const uint8_t *p = ev->bytes, *last = ev->bytes + ev->len;

    while (p < last && w->rc == 0) {
        const uint8_t *at = memchr(p, end, (size_t)(last - p));
        size_t n = (size_t)((at != NULL ? at : last) - p);

        *began = b->len == 0 ? ev->t_us : *began;
        /* A line without an end is told in parts. */
        if (b->len + 3 * n > LINE_MAX_BYTES) {
            n = (LINE_MAX_BYTES - b->len) / 3;
            at = p + n < last ? NULL : at;
        }
        if (put_shown(b, p, n, w->err) != 0) {
            w->rc = -1;
        }
        p += n;
        if ((at != NULL && p == at) || b->len + 3 > LINE_MAX_BYTES) {
            p += at != NULL && p == at;
            tell(w, kind, *began, b);
            buf_reset(b);
        }
    }
}

static void resize(struct walk *w, const struct timeline_event *ev)
{
    char text[24];
    unsigned cols, rows;

    if (ev->len < sizeof text) {
        memcpy(text, ev->bytes, ev->len);
        text[ev->len] = '\0';
        if (sscanf(text, "%5ux%5u", &cols, &rows) == 2 && cols > 0 && rows > 0 &&
            screen_resize(w->screen, (int)rows, (int)cols, w->err) != 0) {
            w->rc = -1;
        }
    }
}

static void on_event(struct walk *w, const struct timeline_event *ev)
{
    /* Who types has seen it. */
    if (w->moved && (ev->kind == 'i' || ev->t_us - w->now_us >= STILL_US)) {
        look_at_screen(w);
    }
    w->now_us = ev->t_us;
    if (ev->kind == 'i' && w->config->input) {
        take_lines(w, &w->typed, SEEN_INPUT, &w->typed_us, ev, '\r');
    } else if (ev->kind == 'r' && w->screen != NULL) {
        resize(w, ev);
    } else if (ev->kind != 'o' && ev->kind != 'e') {
        return;
    } else if (w->screen == NULL) {
        take_lines(w, &w->stream, SEEN_OUTPUT, &w->written[0].t_us, ev, '\n');
    } else {
        screen_feed(w->screen, ev->bytes, ev->len);
        w->moved = w->config->screens && screen_is_alt(w->screen);
        if (!screen_is_alt(w->screen)) {
            note_written(w);
        }
    }
}

static void finish(struct walk *w)
{
    if (w->screen != NULL) {
        if (w->moved) {
            look_at_screen(w);
        }
        for (int row = 0; row < screen_rows(w->screen); row++) {
            take_row(w, row);
            tell(w, SEEN_OUTPUT, written_at(w, row), &w->line);
        }
    } else if (w->stream.len > 0) {
        tell(w, SEEN_OUTPUT, w->written[0].t_us, &w->stream);
    }
    if (w->typed.len > 0) {
        tell(w, SEEN_INPUT, w->typed_us, &w->typed);
    }
}

static int open_screen(struct walk *w, const struct timeline_head *head)
{
    const struct screen_config c = {.rows = head->rows > 0 ? (int)head->rows : ROWS,
                                    .cols = head->cols > 0 ? (int)head->cols : COLS,
                                    .on_leave = on_leave,
                                    .user = w};

    return head->no_terminal ? 0 : screen_new(&w->screen, &c, w->err);
}

static int walk(struct walk *w, struct timeline *t)
{
    struct timeline_event ev;
    struct error damage = {.kind = ERR_NONE};
    int rc;

    if (open_screen(w, timeline_head(t)) != 0) {
        return -1;
    }
    while (w->rc == 0 && (rc = timeline_next(t, &ev, &damage)) != 0) {
        if (rc == 1) {
            on_event(w, &ev);
        } else if (rc < 0 && w->config->gap != NULL) {
            w->config->gap(w->config->user, &damage);
        }
    }
    if (w->rc == 0) {
        finish(w);
    }
    return w->rc;
}

int seen_walk(struct timeline *t, const struct seen_config *c, struct error *err)
{
    struct walk *w = calloc(1, sizeof *w);
    int rc;

    if (w == NULL) {
        return err_sys(err, "allocate");
    }
    w->config = c;
    w->err = err;
    buf_init(&w->line, LINE_MAX_BYTES);
    buf_init(&w->typed, LINE_MAX_BYTES);
    buf_init(&w->stream, LINE_MAX_BYTES);
    rc = walk(w, t);
    screen_free(w->screen);
    buf_clear(&w->line);
    buf_clear(&w->typed);
    buf_clear(&w->stream);
    free(w);
    return rc;
}
