/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/import.h"

#include <string.h>

#include "common/io.h"
#include "storage/wire/control_impl.h"
#include "storage/wire/facts.h"
#include "storage/wire/frame.h"

/* Texts that the session's own facts say already would only take room twice. */
static int put_text(struct buf *out, const struct facts *own, const char *name, const char *text,
                    struct error *err)
{
    const uint8_t *value;
    size_t len;

    if (facts_get(own, name, &value, &len) && len == strlen(text) &&
        (len == 0 || memcmp(value, text, len) == 0)) {
        return 0;
    }
    return facts_put_text(out, name, text, err);
}

static int put_row(struct buf *out, const struct import_session *s, struct error *err)
{
    struct facts own;

    if (facts_parse(buf_data(s->facts), s->facts->len, &own, err) != 0) {
        return -1;
    }
    return facts_put(out, "id", s->id, 16, err) != 0 ||
                   facts_put(out, "epoch", s->epoch, 16, err) != 0 ||
                   facts_put_text(out, "host", s->host, err) != 0 ||
                   facts_put_text(out, "user", s->user, err) != 0 ||
                   facts_put_int(out, "uid", s->uid, err) != 0 ||
                   put_text(out, &own, "kind", s->kind, err) != 0 ||
                   put_text(out, &own, "title", s->title, err) != 0 ||
                   put_text(out, &own, "tty", s->tty, err) != 0 ||
                   put_text(out, &own, "command", s->command, err) != 0 ||
                   facts_put_int(out, "cols", s->cols, err) != 0 ||
                   facts_put_int(out, "rows", s->rows, err) != 0 ||
                   facts_put_int(out, "began_us", s->began_us, err) != 0 ||
                   facts_put_int(out, "ended_us", s->ended_us, err) != 0 ||
                   facts_put_text(out, "state", s->state, err) != 0 ||
                   facts_put_text(out, "exit", s->exit, err) != 0 ||
                   facts_put_text(out, "flags", s->flags, err) != 0
               ? -1
               : 0;
}

int control_import_session(struct control *c, const struct import_session *s, int64_t *ret_segments,
                           int64_t *ret_imported, struct error *err)
{
    const struct control_wanted wanted[] = {
        {"segments", ret_segments}, {"imported", ret_imported}, {NULL, NULL}};
    struct buf row, body;
    uint8_t n[4];
    int rc = -1;

    buf_init(&row, FACTS_MAX);
    buf_init(&body, FRAME_MAX_BODY);
    if (put_row(&row, s, err) == 0) {
        io_put_be32(n, (uint32_t)row.len);
        if (buf_append(&body, n, sizeof n, err) == 0 &&
            buf_append(&body, buf_data(&row), row.len, err) == 0 &&
            (s->facts->len == 0 ||
             buf_append(&body, buf_data(s->facts), s->facts->len, err) == 0)) {
            rc = control_ask(c, FRAME_IMPORT_SESSION, buf_data(&body), body.len, wanted, err);
        }
    }
    buf_clear(&body);
    buf_clear(&row);
    return rc;
}

static int put_about(struct buf *out, const struct import_segment *g, struct error *err)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"size", (int64_t)g->len},     {"final", g->final},
                   {"text_size", g->text_size},   {"events", g->events},
                   {"first_t_us", g->first_t_us}, {"last_t_us", g->last_t_us},
                   {"sealed_us", g->sealed_us},   {"bytes_out", g->bytes_out},
                   {"bytes_in", g->bytes_in},     {"redactions", g->redactions}};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (facts_put_int(out, numbers[i].name, numbers[i].value, err) != 0) {
            return -1;
        }
    }
    return facts_put(out, "sha256", g->sha256, 32, err) != 0
               ? -1
               : facts_put(out, "head", g->head, 32, err);
}

static int put_piece(struct buf *body, const uint8_t session[16], const struct import_segment *g,
                     size_t at, size_t len, struct error *err)
{
    struct buf about;
    uint8_t head[28];
    int rc;

    buf_init(&about, FACTS_MAX);
    buf_reset(body);
    rc = at == 0 ? put_about(&about, g, err) : 0;
    memcpy(head, session, 16);
    io_put_be32(head + 16, (uint32_t)g->number);
    io_put_be32(head + 20, (uint32_t)at);
    io_put_be32(head + 24, (uint32_t)about.len);
    if (rc == 0 && (buf_append(body, head, sizeof head, err) != 0 ||
                    (about.len > 0 && buf_append(body, buf_data(&about), about.len, err) != 0) ||
                    buf_append(body, (const uint8_t *)g->bytes + at, len, err) != 0)) {
        rc = -1;
    }
    buf_clear(&about);
    return rc;
}

int control_import_segment(struct control *c, const uint8_t session[16],
                           const struct import_segment *g, struct error *err)
{
    struct buf body;
    int rc = 0;

    buf_init(&body, FRAME_MAX_BODY);
    for (size_t at = 0; rc == 0 && at < g->len; at += IMPORT_PIECE) {
        size_t len = g->len - at < IMPORT_PIECE ? g->len - at : IMPORT_PIECE;

        rc = put_piece(&body, session, g, at, len, err);
        if (rc == 0) {
            rc = control_ask(c, FRAME_IMPORT_SEGMENT, buf_data(&body), body.len, NULL, err);
        }
    }
    buf_clear(&body);
    return rc;
}
