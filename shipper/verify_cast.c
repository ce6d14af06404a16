/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/verify_cast.h"

#include <string.h>

#define HEADER_MAX (1U * 1024 * 1024)

int verify_cast_open(struct verify_cast *c, struct error *err)
{
    memset(c, 0, sizeof *c);
    buf_init(&c->header_json, HEADER_MAX);
    return cast_reader_new(&c->reader, VERIFY_LINE_MAX, err);
}

void verify_cast_close(struct verify_cast *c)
{
    if (c->reader != NULL) {
        cast_reader_free(c->reader);
    }
    buf_clear(&c->header_json);
}

/* A pack holds segments of many sessions; those that go on have no header, each is a member. */
static int check_event(struct verify_cast *c, const struct cast_line *l, bool fresh,
                       struct error *err)
{
    if (c->sessions + c->parts == 0) {
        if (!fresh) {
            return err_set(err, ERR_CORRUPT, "no header in the first line");
        }
        c->parts++;
        c->ended = true;
    } else if (l->t_us < c->last_t_us) {
        if (!fresh || c->sessions + c->parts < 2) {
            return err_set(err, ERR_CORRUPT, "time steps back in event %lld",
                           (long long)c->events + 1);
        }
        c->parts++;
        c->ended = true; /* no end of a session that began here */
    }
    return 0;
}

static int one_line(struct verify_cast *c, const struct cast_line *l, struct error *err)
{
    bool fresh = c->fresh;

    c->fresh = false;
    c->lines++;
    if (l->header) {
        c->sessions++;
        c->ended = false;
        c->last_t_us = 0;
        if (c->header && c->many) {
            return 0;
        }
        if (c->header) {
            return err_set(err, ERR_CORRUPT, "a second header in line %lld", (long long)c->lines);
        }
        c->header = true;
        return buf_append(&c->header_json, l->json, l->json_len, err);
    }
    if (check_event(c, l, fresh, err) != 0) {
        return -1;
    }
    c->last_t_us = l->t_us;
    c->events++;
    c->ends += l->kind == 'x' && !c->ended;
    c->ended |= l->kind == 'x';
    return 0;
}

int verify_cast_feed(struct verify_cast *c, const void *bytes, size_t len, bool at_end,
                     struct error *err)
{
    struct cast_line l;
    int rc;

    if (len > 0 && cast_reader_feed(c->reader, bytes, len, err) != 0) {
        return -1;
    }
    while ((rc = cast_reader_next(c->reader, at_end, &l, err)) == 1) {
        if (one_line(c, &l, err) != 0) {
            return -1;
        }
    }
    return rc;
}
