/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/export/cast.h"

#include <string.h>

#include "replay/parts.h"
#include "storage/seal/cast.h"
#include "storage/wire/facts.h"

#define MARK_MAX 4096U

/* Where a part is left out: a header if it held that, and a mark that says what is missing. */
static int write_gap(const struct parts *p, struct export_out *out, bool first,
                     const struct error *what, struct error *err)
{
    struct cast_writer w;
    struct buf text;
    int result = -1;

    cast_writer_init(&w, parts_last_us(p));
    buf_init(&text, FACTS_MAX * 8);
    struct event mark = {.kind = 'm',
                         .t_us = w.last_t_us,
                         .bytes = (const uint8_t *)what->text,
                         .len = strnlen(what->text, MARK_MAX)};
    if ((first && parts_header(p, &text, err) != 0) || cast_event(&w, &text, &mark, err) != 0 ||
        cast_flush(&w, &text, err) != 0) {
        goto out;
    }
    result = export_out_write(out, buf_data(&text), text.len, err);
out:
    buf_clear(&text);
    cast_writer_clear(&w);
    return result;
}

int cast_run(const struct export_request *req, struct error *err)
{
    struct parts *p = NULL;
    struct export_out out;
    struct part part;
    struct error damage;
    bool first = true;
    int rc, result = -1;

    export_out_init(&out, req->fd);
    if (parts_open(&p, req->reader, req->session->row, err) != 0) {
        goto out;
    }
    err_clear(&damage);
    while ((rc = parts_next(p, &part, &damage)) != 0) {
        if (rc < 0) {
            req->gap(req->user, &damage);
            rc = write_gap(p, &out, first, &damage, err);
        } else {
            rc = export_out_write(&out, part.text, part.len, err);
        }
        if (rc != 0) {
            goto out;
        }
        first = false;
    }
    result = export_out_flush(&out, err);
out:
    parts_close(p);
    export_out_clear(&out);
    return result;
}
