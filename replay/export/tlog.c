/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "common/json_write.h"
#include "common/utf8.h"
#include "replay/export/events.h"
#include "replay/export/formats.h"

#define TEXT_MAX       (1024U * 1024)
#define LINE_MAX_BYTES (8U * 1024 * 1024)
#define MESSAGE_BYTES  3000U    /* of text, after which a message ends */
#define MESSAGE_US     10000000 /* ... and after so long */

/* One direction: what of it goes into the message. */
struct track {
    struct buf text, binary; /* insides of a JSON string, and of an array of numbers */
    uint8_t partial[4];      /* a character that has begun */
    size_t n_partial;
    char text_mark, binary_mark; /* of `timing` */
};

struct state {
    struct track in, out;
    struct buf timing;
    uint64_t began_us, last_us; /* of the message; of the last event in it */
    uint64_t id;
    char term[64];
};

static void track_init(struct track *t, char text_mark, char binary_mark)
{
    buf_init(&t->text, TEXT_MAX);
    buf_init(&t->binary, TEXT_MAX);
    t->text_mark = text_mark;
    t->binary_mark = binary_mark;
}

static int put_track(struct events *e, const char *name, struct track *t)
{
    int rc = buf_printf(&e->line, e->err, ",\"%s_txt\":\"", name) != 0 ||
                     buf_append(&e->line, buf_data(&t->text), t->text.len, e->err) != 0 ||
                     buf_printf(&e->line, e->err, "\",\"%s_bin\":[", name) != 0 ||
                     buf_append(&e->line, buf_data(&t->binary), t->binary.len, e->err) != 0 ||
                     buf_putc(&e->line, ']', e->err) != 0
                 ? -1
                 : 0;

    buf_reset(&t->text);
    buf_reset(&t->binary);
    return rc;
}

static int flush(struct events *e)
{
    const struct session_row *s = e->req->session;
    struct state *st = e->state;
    uint64_t unix_us = (uint64_t)s->started_us + st->began_us;
    char id[2 * CHAIN_ID + 1];

    if (st->timing.len == 0) {
        return 0;
    }
    if (buf_puts(&e->line, "{\"ver\":\"2.3\",\"host\":", e->err) != 0 ||
        json_string(&e->line, s->host, e->err) != 0 ||
        buf_printf(&e->line, e->err, ",\"rec\":\"%s\",\"user\":", io_hex(s->id, CHAIN_ID, id)) !=
            0 ||
        json_string(&e->line, s->user, e->err) != 0 ||
        buf_puts(&e->line, ",\"term\":", e->err) != 0 ||
        json_string(&e->line, st->term, e->err) != 0 ||
        buf_printf(&e->line, e->err,
                   ",\"session\":1,\"id\":%" PRIu64 ",\"pos\":%" PRIu64 ",\"time\":%" PRIu64
                   ".%03" PRIu64 ",\"timing\":\"",
                   ++st->id, st->began_us / 1000, unix_us / 1000000, unix_us / 1000 % 1000) != 0 ||
        buf_append(&e->line, buf_data(&st->timing), st->timing.len, e->err) != 0 ||
        buf_putc(&e->line, '"', e->err) != 0 || put_track(e, "in", &st->in) != 0 ||
        put_track(e, "out", &st->out) != 0 || buf_puts(&e->line, "}\n", e->err) != 0) {
        return -1;
    }
    buf_reset(&st->timing);
    return events_line(e);
}

/* ${chars} whole characters, or ${bytes} that are none and have as many marks in the text. */
static int put_text(struct events *e, struct track *t, const uint8_t *p, size_t len, size_t chars)
{
    struct state *st = e->state;

    return len == 0 ? 0
           : json_escape(&t->text, p, len, NULL, e->err) != 0
               ? -1
               : buf_printf(&st->timing, e->err, "%c%zu", t->text_mark, chars);
}

static int put_binary(struct events *e, struct track *t, const uint8_t *p, size_t len)
{
    struct state *st = e->state;

    for (size_t i = 0; i < len; i++) {
        if (buf_printf(&t->binary, e->err, "%s%u", t->binary.len > 0 ? "," : "", p[i]) != 0 ||
            buf_puts(&t->text, "\xef\xbf\xbd", e->err) != 0) {
            return -1;
        }
    }
    return len == 0 ? 0 : buf_printf(&st->timing, e->err, "%c%zu/%zu", t->binary_mark, len, len);
}

/* The bytes ${p}, as runs of characters and of what is none; an unfinished character waits. */
static int put_bytes(struct events *e, struct track *t, const uint8_t *p, size_t len)
{
    size_t at = 0, from = 0, chars = 0;

    while (at < len) {
        int n = utf8_length(p + at, len - at);

        if (n > 0) {
            at += (size_t)n;
            chars++;
            continue;
        }
        if (put_text(e, t, p + from, at - from, chars) != 0) {
            return -1;
        }
        if (n < 0) {
            t->n_partial = len - at;
            memcpy(t->partial, p + at, t->n_partial);
            return 0;
        }
        if (put_binary(e, t, p + at, 1) != 0) {
            return -1;
        }
        from = ++at;
        chars = 0;
    }
    return put_text(e, t, p + from, at - from, chars);
}

static int put_event(struct events *e, struct track *t, const uint8_t *p, size_t len)
{
    while (t->n_partial > 0 && len > 0) { /* a character that began in the event before */
        uint8_t joined[4];
        size_t n = t->n_partial;
        int whole;

        memcpy(joined, t->partial, n);
        joined[n++] = *p;
        whole = utf8_length(joined, n);
        t->n_partial = 0;
        if (whole == 0) {
            if (put_binary(e, t, joined, n - 1) != 0) {
                return -1;
            }
            break;
        }
        p++;
        len--;
        if (whole > 0 && put_text(e, t, joined, n, 1) != 0) {
            return -1;
        }
        if (whole < 0) {
            memcpy(t->partial, joined, n);
            t->n_partial = n;
        }
    }
    return len == 0 ? 0 : put_bytes(e, t, p, len);
}

static int begin(struct events *e)
{
    struct state *st = e->state;

    track_init(&st->in, '<', '[');
    track_init(&st->out, '>', ']');
    buf_init(&st->timing, TEXT_MAX);
    (void)events_terminal(e, st->term, sizeof st->term);
    return e->head->cols == 0 ? 0
                              : buf_printf(&st->timing, e->err, "=%" PRIu32 "x%" PRIu32,
                                           e->head->cols, e->head->rows);
}

/* Time passes: in milliseconds, as tlog counts. */
static int move_on(struct events *e, uint64_t t_us)
{
    struct state *st = e->state;
    uint64_t ms = t_us / 1000 - st->last_us / 1000;

    if (st->timing.len > 0 && (st->out.text.len + st->in.text.len > MESSAGE_BYTES ||
                               st->out.binary.len + st->in.binary.len > MESSAGE_BYTES ||
                               t_us - st->began_us > MESSAGE_US)) {
        if (flush(e) != 0) {
            return -1;
        }
    }
    if (st->timing.len == 0) {
        st->began_us = st->last_us = t_us;
        return 0;
    }
    if (ms > 0) {
        st->last_us = t_us;
        return buf_printf(&st->timing, e->err, "+%" PRIu64, ms);
    }
    return 0;
}

static int on_event(struct events *e, const struct timeline_event *ev)
{
    struct state *st = e->state;
    unsigned cols, rows;

    if (strchr("oie", ev->kind) != NULL) {
        for (size_t at = 0, n; at < ev->len; at += n) {
            n = ev->len - at < MESSAGE_BYTES ? ev->len - at : MESSAGE_BYTES;
            if (move_on(e, ev->t_us) != 0 ||
                put_event(e, ev->kind == 'i' ? &st->in : &st->out, ev->bytes + at, n) != 0) {
                return -1;
            }
        }
        return 0;
    }
    if (events_size(ev, &cols, &rows)) {
        return move_on(e, ev->t_us) != 0 ? -1
                                         : buf_printf(&st->timing, e->err, "=%ux%u", cols, rows);
    }
    return 0;
}

static int end(struct events *e)
{
    struct state *st = e->state;

    return put_binary(e, &st->in, st->in.partial, st->in.n_partial) != 0 ||
                   put_binary(e, &st->out, st->out.partial, st->out.n_partial) != 0
               ? -1
               : flush(e);
}

static void clear(struct events *e)
{
    struct state *st = e->state;

    buf_clear(&st->in.text);
    buf_clear(&st->in.binary);
    buf_clear(&st->out.text);
    buf_clear(&st->out.binary);
    buf_clear(&st->timing);
}

int tlog_run(const struct export_request *req, struct error *err)
{
    static const struct events_format format = {.state = sizeof(struct state),
                                                .line_max = LINE_MAX_BYTES,
                                                .begin = begin,
                                                .event = on_event,
                                                .end = end,
                                                .clear = clear};

    return events_run(&format, req, err);
}
