/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a sealed segment, counted as sealing counted it. */
#include <string.h>

#include "shipper/import_impl.h"
#include "shipper/verify_header.h"
#include "storage/seal/cast.h"
#include "storage/seal/segment.h"

#define LINE_MAX_BYTES (4U * 1024 * 1024)
#define HEADER_MAX     (1U * 1024 * 1024)

static int check_header(struct json *j, const struct session_row *r, const struct cast_line *l,
                        struct error *err)
{
    const char *member = "";
    struct buf header;
    int rc;

    buf_init(&header, HEADER_MAX);
    rc = buf_append(&header, l->json, l->json_len, err);
    if (rc == 0) {
        rc = verify_header(j, &header, r, &member, err);
    }
    buf_clear(&header);
    return rc > 0 ? err_set(err, ERR_CORRUPT, "its row and its sealed header differ in %s", member)
                  : rc;
}

static void count(struct import_segment *g, const struct cast_line *l)
{
    if (g->events++ == 0) {
        g->first_t_us = (int64_t)l->t_us;
    }
    g->last_t_us = (int64_t)l->t_us;
    g->bytes_out += l->kind == 'o' || l->kind == 'e' ? (int64_t)l->len : 0;
    g->bytes_in += l->kind == 'i' ? (int64_t)l->len : 0;
    g->redactions += l->kind == 'm' && l->len >= 9 && memcmp(l->bytes, "redacted ", 9) == 0;
}

static int read_lines(struct json *j, const struct session_row *r, const struct buf *text,
                      struct import_segment *g, struct error *err)
{
    struct cast_reader *reader = NULL;
    struct cast_line l;
    bool header = false;
    int rc;

    if (cast_reader_new(&reader, LINE_MAX_BYTES, err) != 0) {
        return -1;
    }
    rc = cast_reader_feed(reader, buf_data(text), text->len, err);
    while (rc == 0 && (rc = cast_reader_next(reader, true, &l, err)) == 1) {
        rc = 0;
        if (!l.header) {
            count(g, &l);
        } else if (header || g->number > 0) {
            rc = err_set(err, ERR_CORRUPT, "it has a header where none belongs");
        } else {
            header = true;
            rc = check_header(j, r, &l, err);
        }
    }
    if (rc == 0 && g->number == 0 && !header) {
        rc = err_set(err, ERR_CORRUPT, "it has no header");
    }
    cast_reader_free(reader);
    return rc;
}

int import_look(struct json *j, const struct session_row *r, struct import_segment *g,
                struct error *err)
{
    struct buf text;
    int rc;

    buf_init(&text, SEGMENT_MAX_TEXT);
    rc = segment_unpack(g->bytes, g->len, SEGMENT_MAX_TEXT, &text, err);
    if (rc == 0) {
        g->text_size = (int64_t)text.len;
        rc = read_lines(j, r, &text, g, err);
    }
    buf_clear(&text);
    return rc;
}
