/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "common/io.h"
#include "common/json_write.h"
#include "replay/export/events.h"
#include "replay/export/formats.h"

#define LINE_MAX_BYTES (64U * 1024 * 1024)

static int begin(struct events *e)
{
    const struct session_row *s = e->req->session;
    char id[2 * CHAIN_ID + 1];

    return buf_printf(&e->line, e->err, "{\"session\":\"%s\",\"started_us\":%" PRId64 ",\"host\":",
                      io_hex(s->id, CHAIN_ID, id), s->started_us) != 0 ||
                   json_string(&e->line, s->host, e->err) != 0 ||
                   buf_puts(&e->line, ",\"user\":", e->err) != 0 ||
                   json_string(&e->line, s->user, e->err) != 0 ||
                   buf_puts(&e->line, ",\"title\":", e->err) != 0 ||
                   json_string(&e->line, s->title, e->err) != 0 ||
                   buf_printf(&e->line, e->err, ",\"cols\":%" PRIu32 ",\"rows\":%" PRIu32 "}\n",
                              e->head->cols, e->head->rows) != 0
               ? -1
               : events_line(e);
}

static const char *word(char kind)
{
    switch (kind) {
    case 'o':
        return "output";
    case 'i':
        return "input";
    case 'e':
        return "error";
    case 'r':
        return "resize";
    case 'm':
        return "mark";
    case 'x':
        return "exit";
    default:
        return "other";
    }
}

/* Bytes that are no UTF-8 stand in `hex` besides. */
static int put_exact(struct events *e, const struct timeline_event *ev)
{
    static const char digits[] = "0123456789abcdef";

    if (buf_puts(&e->line, ",\"hex\":\"", e->err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ev->len; i++) {
        const char pair[2] = {digits[ev->bytes[i] >> 4], digits[ev->bytes[i] & 15]};

        if (buf_append(&e->line, pair, 2, e->err) != 0) {
            return -1;
        }
    }
    return buf_putc(&e->line, '"', e->err);
}

static int on_event(struct events *e, const struct timeline_event *ev)
{
    bool lossy = false;

    if (buf_printf(&e->line, e->err, "{\"t\":%" PRIu64 ".%06" PRIu64 ",\"kind\":\"%s\",\"text\":\"",
                   ev->t_us / 1000000, ev->t_us % 1000000, word(ev->kind)) != 0 ||
        json_escape(&e->line, ev->bytes, ev->len, &lossy, e->err) != 0 ||
        buf_putc(&e->line, '"', e->err) != 0 || (lossy && put_exact(e, ev) != 0) ||
        buf_puts(&e->line, "}\n", e->err) != 0) {
        return -1;
    }
    return events_line(e);
}

int json_run(const struct export_request *req, struct error *err)
{
    static const struct events_format format = {
        .line_max = LINE_MAX_BYTES, .begin = begin, .event = on_event};

    return events_run(&format, req, err);
}
