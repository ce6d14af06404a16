/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/io.h"
#include "replay/export/events.h"
#include "replay/export/formats.h"

#define LINE_MAX_BYTES 8192U

struct state {
    struct export_out timing;
    uint64_t last_us;
};

static int say(struct events *e, char kind, uint64_t gap_us, const char *text)
{
    struct state *st = e->state;

    buf_reset(&e->line);
    return buf_printf(&e->line, e->err, "%c %" PRIu64 ".%06" PRIu64 " %s\n", kind, gap_us / 1000000,
                      gap_us % 1000000, text) != 0
               ? -1
               : export_out_write(&st->timing, buf_data(&e->line), e->line.len, e->err);
}

static int begin(struct events *e)
{
    struct state *st = e->state;
    char term[64], when[40] = "", text[160];
    time_t s = (time_t)(e->head->started_us / 1000000);
    struct tm tm;

    export_out_init(&st->timing, e->req->timing_fd);
    if (gmtime_r(&s, &tm) != NULL) {
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S+00:00", &tm);
    }
    (void)snprintf(text, sizeof text, "START_TIME %s", when);
    if (say(e, 'H', 0, text) != 0) {
        return -1;
    }
    if (*events_terminal(e, term, sizeof term) != '\0') {
        (void)snprintf(text, sizeof text, "TERM %s", term);
        if (say(e, 'H', 0, text) != 0) {
            return -1;
        }
    }
    (void)snprintf(text, sizeof text, "COLUMNS %" PRIu32, e->head->cols);
    if (say(e, 'H', 0, text) != 0) {
        return -1;
    }
    (void)snprintf(text, sizeof text, "LINES %" PRIu32, e->head->rows);
    if (say(e, 'H', 0, text) != 0) {
        return -1;
    }
    /* scriptreplay passes over the typescript's first line. */
    buf_reset(&e->line);
    return buf_printf(&e->line, e->err,
                      "Script started on %s [TERM=\"%s\" COLUMNS=\"%" PRIu32 "\" LINES=\"%" PRIu32
                      "\"]\n",
                      when, term, e->head->cols, e->head->rows) != 0
               ? -1
               : events_line(e);
}

static int piece(struct events *e, const struct timeline_event *ev, uint64_t gap_us)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%zu", ev->len);
    return say(e, ev->kind == 'i' ? 'I' : 'O', gap_us, text) != 0
               ? -1
               : export_out_write(&e->out, ev->bytes, ev->len, e->err);
}

static int on_event(struct events *e, const struct timeline_event *ev)
{
    struct state *st = e->state;
    uint64_t gap = ev->t_us - st->last_us;
    unsigned cols, rows;
    char text[64];

    if (ev->kind == 'o' || ev->kind == 'e' || ev->kind == 'i') {
        st->last_us = ev->t_us;
        return ev->len == 0 ? 0 : piece(e, ev, gap);
    }
    if (ev->kind == 'x' && events_status(ev) >= 0) {
        (void)snprintf(text, sizeof text, "EXIT_CODE %d", events_status(ev));
        return say(e, 'H', 0, text);
    }
    if (events_size(ev, &cols, &rows)) {
        st->last_us = ev->t_us;
        (void)snprintf(text, sizeof text, "SIGWINCH ROWS=%u COLS=%u", rows, cols);
        return say(e, 'S', gap, text);
    }
    return 0;
}

static int end(struct events *e)
{
    return export_out_flush(&((struct state *)e->state)->timing, e->err);
}

static void clear(struct events *e)
{
    export_out_clear(&((struct state *)e->state)->timing);
}

int script_run(const struct export_request *req, struct error *err)
{
    static const struct events_format format = {.state = sizeof(struct state),
                                                .line_max = LINE_MAX_BYTES,
                                                .begin = begin,
                                                .event = on_event,
                                                .end = end,
                                                .clear = clear};

    return events_run(&format, req, err);
}
