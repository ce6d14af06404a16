/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/utf8.h"
#include "replay/export/events.h"
#include "replay/export/formats.h"
#include "screen/screen.h"
#include "screen/text.h"

#define LINE_MAX_BYTES 65536U
#define COLS           80
#define ROWS           24

struct state {
    struct screen *screen; /* NULL: a session without a terminal */
    size_t blank;          /* empty lines that are written when another follows */
    bool failed;           /* e->err says why */
};

static int put_line(struct events *e)
{
    struct state *st = e->state;

    if (e->line.len == 0) {
        st->blank++;
        return 0;
    }
    for (; st->blank > 0; st->blank--) {
        if (export_out_write(&e->out, "\n", 1, e->err) != 0) {
            return -1;
        }
    }
    return buf_putc(&e->line, '\n', e->err) != 0 ? -1 : events_line(e);
}

static void on_leave(void *user, int row)
{
    struct events *e = user;
    struct state *st = e->state;

    st->failed =
        st->failed || screen_text(st->screen, row, &e->line, e->err) != 0 || put_line(e) != 0;
}

static int begin(struct events *e)
{
    struct state *st = e->state;
    const struct screen_config c = {.rows = e->head->rows > 0 ? (int)e->head->rows : ROWS,
                                    .cols = e->head->cols > 0 ? (int)e->head->cols : COLS,
                                    .on_leave = on_leave,
                                    .user = e};

    return e->head->no_terminal ? 0 : screen_new(&st->screen, &c, e->err);
}

/* Streams: their bytes, of which only what can be shown stays. */
static int put_stream(struct events *e, const struct timeline_event *ev)
{
    for (size_t at = 0; at < ev->len;) {
        size_t n = utf8_printable(ev->bytes + at, ev->len - at);
        bool plain = n > 0 || ev->bytes[at] == '\n' || ev->bytes[at] == '\t';

        n = n > 0 ? n : 1;
        if (export_out_write(&e->out, plain ? (const char *)ev->bytes + at : "\xef\xbf\xbd",
                             plain ? n : 3, e->err) != 0) {
            return -1;
        }
        at += n;
    }
    return 0;
}

static int on_event(struct events *e, const struct timeline_event *ev)
{
    struct state *st = e->state;
    unsigned cols, rows;

    if (ev->kind == 'o' || ev->kind == 'e') {
        if (st->screen == NULL) {
            return put_stream(e, ev);
        }
        screen_feed(st->screen, ev->bytes, ev->len);
    } else if (st->screen != NULL && events_size(ev, &cols, &rows) && cols > 0 && rows > 0) {
        return screen_resize(st->screen, (int)rows, (int)cols, e->err) != 0 || st->failed ? -1 : 0;
    }
    return st->failed ? -1 : 0;
}

/* What stands there at the end. */
static int end(struct events *e)
{
    struct state *st = e->state;

    for (int row = 0; st->screen != NULL && row < screen_rows(st->screen); row++) {
        if (screen_text(st->screen, row, &e->line, e->err) != 0 || put_line(e) != 0) {
            return -1;
        }
    }
    return 0;
}

static void clear(struct events *e)
{
    screen_free(((struct state *)e->state)->screen);
}

int text_run(const struct export_request *req, struct error *err)
{
    static const struct events_format format = {.state = sizeof(struct state),
                                                .line_max = LINE_MAX_BYTES,
                                                .begin = begin,
                                                .event = on_event,
                                                .end = end,
                                                .clear = clear};

    return events_run(&format, req, err);
}
