/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/export/raw.h"

#include "replay/timeline.h"

int raw_run(const struct export_request *req, struct error *err)
{
    struct timeline *t = NULL;
    const char kinds[] = {req->stream, '\0'};
    struct timeline_event ev;
    struct export_out out;
    struct error damage;
    int rc, result = -1;

    export_out_init(&out, req->fd);
    if (timeline_open_session(&t, req->reader, req->session, err) != 0) {
        goto out;
    }
    err_clear(&damage);
    while ((rc = timeline_next(t, &ev, &damage)) != 0) {
        if (rc < 0) {
            req->gap(req->user, &damage);
            continue;
        }
        if (req->kept != NULL) {
            kept_count(req->kept, &ev, kinds);
        }
        if (ev.kind == req->stream && export_out_write(&out, ev.bytes, ev.len, err) != 0) {
            goto out;
        }
    }
    result = export_out_flush(&out, err);
out:
    timeline_close(t);
    export_out_clear(&out);
    return result;
}
