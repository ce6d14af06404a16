/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that remove what is in S3: small pieces, so that nobody's commit waits long for one. */
#include "common/io.h"
#include "storage/writer/writer_impl.h"

#define GIVE_BACK_MAX 4096 /* pages in one request */

int control_answer(struct peer *p, const char *const *names, const int64_t *values, size_t n,
                   struct error *err)
{
    struct buf body;
    int rc = 0;

    buf_init(&body, FRAME_MAX_BODY);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = facts_put_int(&body, names[i], values[i], err);
    }
    if (rc == 0) {
        peer_send(p, FRAME_DONE, buf_data(&body), body.len);
    }
    buf_clear(&body);
    return rc;
}

int control_on_prune(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    static const char *const names[] = {"segments", "bytes"};
    int64_t values[2];

    if (f->len != 24) {
        return err_set(err, ERR_CORRUPT, "PRUNE of %lu bytes", (unsigned long)f->len);
    }
    if (store_prune(w->store, f->body, io_get_be32(f->body + 16), io_get_be32(f->body + 20),
                    &values[0], &values[1], err) != 0) {
        return -1;
    }
    turn_checkpoint(w, false);
    return control_answer(p, names, values, 2, err);
}

int control_on_give_back(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    static const char *const names[] = {"pages"};
    int64_t pages, left;

    if (f->len != 4) {
        return err_set(err, ERR_CORRUPT, "GIVE_BACK of %lu bytes", (unsigned long)f->len);
    }
    pages = io_get_be32(f->body);
    if (store_give_back(w->store, pages < GIVE_BACK_MAX ? pages : GIVE_BACK_MAX, &left, err) != 0) {
        return -1;
    }
    turn_checkpoint(w, false);
    return control_answer(p, names, &left, 1, err);
}
