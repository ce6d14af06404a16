/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/export/formats.h"
#include "replay/seen.h"

struct text {
    const struct export_request *req;
    struct export_out out;
    size_t blank; /* empty lines that are written when another follows */
    struct error *err;
};

static int on_line(void *user, const struct seen_line *l)
{
    struct text *t = user;

    if (l->len == 0) {
        t->blank++;
        return 0;
    }
    for (; t->blank > 0; t->blank--) {
        if (export_out_write(&t->out, "\n", 1, t->err) != 0) {
            return -1;
        }
    }
    return export_out_write(&t->out, l->text, l->len, t->err) != 0
               ? -1
               : export_out_write(&t->out, "\n", 1, t->err);
}

static void on_gap(void *user, const struct error *what)
{
    const struct text *t = user;

    t->req->gap(t->req->user, what);
}

int text_run(const struct export_request *req, struct error *err)
{
    struct text t = {.req = req, .err = err};
    const struct seen_config c = {.line = on_line, .gap = on_gap, .user = &t};
    struct timeline *events = NULL;
    int rc;

    export_out_init(&t.out, req->fd);
    rc = timeline_open_session(&events, req->reader, req->session, err) != 0 ||
                 seen_walk(events, &c, err) != 0 || export_out_flush(&t.out, err) != 0
             ? -1
             : 0;
    timeline_close(events);
    export_out_clear(&t.out);
    return rc;
}
