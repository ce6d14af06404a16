/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "common/json_write.h"
#include "replay/export/events.h"
#include "replay/export/formats.h"
#include "storage/seal/cast.h"

#define LINE_MAX_BYTES (64U * 1024 * 1024)

struct state {
    struct cast_writer v2; /* makes the lines; their times are put in anew */
    struct buf lines;
    uint64_t last_us;
};

static int begin(struct events *e)
{
    const struct session_row *s = e->req->session;
    struct state *st = e->state;
    char term[64], id[2 * CHAIN_ID + 1];
    unsigned cols = e->head->cols, rows = e->head->rows;

    cast_writer_init(&st->v2, 0);
    buf_init(&st->lines, LINE_MAX_BYTES);
    if (buf_printf(&e->line, e->err, "{\"version\":3,\"term\":{\"cols\":%u,\"rows\":%u",
                   cols > 0 ? cols : 80, rows > 0 ? rows : 24) != 0) {
        return -1;
    }
    if (*events_terminal(e, term, sizeof term) != '\0' &&
        (buf_puts(&e->line, ",\"type\":", e->err) != 0 ||
         json_string(&e->line, term, e->err) != 0)) {
        return -1;
    }
    if (buf_printf(&e->line, e->err, "},\"timestamp\":%" PRId64, s->started_us / 1000000) != 0 ||
        (s->title[0] != '\0' && (buf_puts(&e->line, ",\"title\":", e->err) != 0 ||
                                 json_string(&e->line, s->title, e->err) != 0)) ||
        buf_printf(&e->line, e->err, ",\"tags\":[\"ttytrail:%s\"]}\n",
                   io_hex(s->id, CHAIN_ID, id)) != 0) {
        return -1;
    }
    return events_line(e);
}

/* "[12.345,"o","..."]": all behind the time stays. */
static int put_lines(struct events *e, uint64_t t_us)
{
    struct state *st = e->state;
    const char *at = (const char *)buf_data(&st->lines), *end = at + st->lines.len;

    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        uint64_t gap = t_us - st->last_us;

        if (comma == NULL || feed == NULL || comma > feed) {
            return err_set(e->err, ERR_CORRUPT, "a line without a time");
        }
        if (buf_printf(&e->line, e->err, "[%" PRIu64 ".%06" PRIu64, gap / 1000000, gap % 1000000) !=
                0 ||
            buf_append(&e->line, comma, (size_t)(feed + 1 - comma), e->err) != 0) {
            return -1;
        }
        st->last_us = t_us;
        at = feed + 1;
    }
    buf_reset(&st->lines);
    return events_line(e);
}

static int on_event(struct events *e, const struct timeline_event *ev)
{
    struct state *st = e->state;
    struct event v2 = {.kind = ev->kind, .t_us = ev->t_us, .bytes = ev->bytes, .len = ev->len};
    char status[12];
    int code = ev->kind == 'x' ? events_status(ev) : -1;

    if (code >= 0) {
        (void)snprintf(status, sizeof status, "%d", code);
        v2.bytes = (const uint8_t *)status;
        v2.len = strlen(status);
    }
    return cast_event(&st->v2, &st->lines, &v2, e->err) != 0 ? -1 : put_lines(e, ev->t_us);
}

static int end(struct events *e)
{
    struct state *st = e->state;

    return cast_flush(&st->v2, &st->lines, e->err) != 0 ? -1 : put_lines(e, st->last_us);
}

static void clear(struct events *e)
{
    struct state *st = e->state;

    cast_writer_clear(&st->v2);
    buf_clear(&st->lines);
}

int cast3_run(const struct export_request *req, struct error *err)
{
    static const struct events_format format = {.state = sizeof(struct state),
                                                .line_max = LINE_MAX_BYTES,
                                                .begin = begin,
                                                .event = on_event,
                                                .end = end,
                                                .clear = clear};

    return events_run(&format, req, err);
}
