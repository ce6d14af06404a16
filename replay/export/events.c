/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/export/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/wire/facts.h"

int events_line(struct events *e)
{
    int rc = export_out_write(&e->out, buf_data(&e->line), e->line.len, e->err);

    buf_reset(&e->line);
    return rc;
}

char *events_terminal(const struct events *e, char *ret, size_t size)
{
    const struct buf *b = &e->req->session->facts;
    struct facts f;

    ret[0] = '\0';
    if (facts_parse(buf_data(b), b->len, &f, NULL) == 0) {
        (void)facts_text(&f, "env.term", ret, size);
    }
    return ret;
}

/* The text of an event in ${ret}, if it is short. */
static bool short_text(const struct timeline_event *ev, char *ret, size_t size)
{
    if (ev->len >= size || memchr(ev->bytes, '\0', ev->len) != NULL) {
        return false;
    }
    memcpy(ret, ev->bytes, ev->len);
    ret[ev->len] = '\0';
    return true;
}

bool events_size(const struct timeline_event *ev, unsigned *ret_cols, unsigned *ret_rows)
{
    char text[24];
    int end = 0;

    return ev->kind == 'r' && short_text(ev, text, sizeof text) &&
           sscanf(text, "%5ux%5u%n", ret_cols, ret_rows, &end) == 2 && text[end] == '\0';
}

int events_status(const struct timeline_event *ev)
{
    char text[24];
    unsigned n;

    if (!short_text(ev, text, sizeof text)) {
        return -1;
    }
    if (sscanf(text, "exit %3u", &n) == 1) {
        return (int)n;
    }
    return sscanf(text, "signal %3u", &n) == 1 ? 128 + (int)n : -1;
}

static int one(const struct events_format *f, struct events *e, struct timeline *t, uint64_t *last)
{
    struct timeline_event ev;
    struct error damage = {.kind = ERR_NONE};
    char text[sizeof damage.text + 16];
    int rc = timeline_next(t, &ev, &damage);

    if (rc < 0) {
        e->req->gap(e->req->user, &damage);
        (void)snprintf(text, sizeof text, "damaged: %s", damage.text);
        ev = (struct timeline_event){
            .t_us = *last, .kind = 'm', .bytes = (const uint8_t *)text, .len = strlen(text)};
    } else if (rc == 0) {
        return 0;
    }
    /* Behind a damage the clock may seem to have gone back. */
    *last = ev.t_us = ev.t_us > *last ? ev.t_us : *last;
    return f->event(e, &ev) != 0 ? -1 : 1;
}

int events_run(const struct events_format *f, const struct export_request *req, struct error *err)
{
    struct events e = {.req = req, .err = err};
    struct timeline *t = NULL;
    uint64_t last = 0;
    int rc = -1;

    export_out_init(&e.out, req->fd);
    buf_init(&e.line, f->line_max);
    e.state = calloc(1, f->state > 0 ? f->state : 1);
    if (e.state == NULL) {
        (void)err_sys(err, "allocate");
    } else if (timeline_open_session(&t, req->reader, req->session, err) == 0) {
        e.head = timeline_head(t);
        rc = f->begin != NULL && f->begin(&e) != 0 ? -1 : 1;
        while (rc == 1) {
            rc = one(f, &e, t, &last);
        }
        if (rc == 0 &&
            ((f->end != NULL && f->end(&e) != 0) || export_out_flush(&e.out, err) != 0)) {
            rc = -1;
        }
    }
    if (e.state != NULL && f->clear != NULL) {
        f->clear(&e);
    }
    free(e.state);
    timeline_close(t);
    buf_clear(&e.line);
    export_out_clear(&e.out);
    return rc;
}
