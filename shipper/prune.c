/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/prune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/prune_look.h"
#include "shipper/ship.h"
#include "shipper/state_life.h"
#include "storage/db/reader.h"
#include "storage/wire/control.h"

#define AT_A_TIME  256  /* segments in one request */
#define GIVE_PAGES 2048 /* pages given back in one request */

/* Of this session nothing goes from this number on: the writer removes from the lowest on. */
struct kept {
    int64_t session_row, from;
};

struct prune {
    const struct prune_config *config;
    struct prune_result *ret;
    struct reader *evidence;
    struct state *state; /* NULL: ship.db is not there */
    struct prune_look look;
    struct kept *kept;
    size_t n_kept, cap_kept;
    struct control *control;
    int64_t excess; /* bytes that are too many still */
    /* The session whose segments are gathered, and below which number. */
    uint8_t session[CHAIN_ID];
    int64_t session_row, below, n;
    int64_t stored; /* of it, as ship.db has it; INT64_MAX: it knows nothing of it */
    struct error *err;
};

/* What is asked for is done as often as the writer, which does a piece at a time, has something. */
static int flush(struct prune *p)
{
    int64_t left = p->n;

    if (p->n > 0) {
        p->ret->sessions++;
    }
    while (left > 0 && !p->config->dry_run) {
        int64_t segments = 0, bytes = 0;

        if (control_prune(p->control, p->session, (uint32_t)p->below,
                          left < AT_A_TIME ? (uint32_t)left : AT_A_TIME, &segments, &bytes,
                          p->err) != 0) {
            return -1;
        }
        p->ret->segments += segments;
        p->ret->bytes += bytes;
        left = segments == 0 ? 0 : left - segments;
    }
    p->n = 0;
    return 0;
}

static int keep_from(struct prune *p, int64_t session_row, int64_t number)
{
    if (p->n_kept == p->cap_kept) {
        size_t cap = p->cap_kept == 0 ? 64 : 2 * p->cap_kept;
        struct kept *kept = realloc(p->kept, cap * sizeof *kept);

        if (kept == NULL) {
            return err_sys(p->err, "allocate");
        }
        p->kept = kept;
        p->cap_kept = cap;
    }
    p->kept[p->n_kept++] = (struct kept){session_row, number};
    p->stored = number;
    return 0;
}

/* A redelivery that is under way, or a withheld batch, keeps its segments. */
static int begin_session(struct prune *p, const struct prunable *g)
{
    int64_t next = 0;

    p->session_row = g->session_row;
    memcpy(p->session, g->session, CHAIN_ID);
    p->stored = INT64_MAX;
    if (p->state != NULL &&
        (state_next(p->state, g->session, &next, p->err) != 0 ||
         (next > 0 && state_stored(p->state, g->session, &p->stored, p->err) != 0))) {
        return -1;
    }
    for (size_t i = 0; i < p->n_kept; i++) {
        if (p->kept[i].session_row == g->session_row && p->kept[i].from < p->stored) {
            p->stored = p->kept[i].from;
        }
    }
    return 0;
}

/* 1: it is where it was shipped to, as far as can be seen. */
static int look(struct prune *p, const struct prunable *g)
{
    int rc = prune_look(&p->look, g->session, g->number, p->err);

    return rc == 0 ? keep_from(p, g->session_row, g->number) : rc;
}

static int each(void *user, const struct prunable *g)
{
    struct prune *p = user;
    bool old = g->sealed_us < p->config->now_us - p->config->keep_us;
    int rc;

    if (!old && p->excess <= 0) {
        p->ret->oldest_us = g->sealed_us;
        return 1;
    }
    if ((g->session_row != p->session_row || p->session_row == 0) &&
        (flush(p) != 0 || begin_session(p, g) != 0)) {
        return -1;
    }
    if (g->number >= p->stored || g->number >= UINT32_MAX) {
        return 0;
    }
    rc = look(p, g);
    if (rc != 1) {
        return rc;
    }
    p->below = g->number + 1;
    p->n++;
    p->excess -= g->size;
    p->ret->kept_bytes -= g->size;
    if (p->config->dry_run) {
        p->ret->segments++;
        p->ret->bytes += g->size;
    }
    return 0;
}

static int give_back(struct prune *p)
{
    int64_t left = 0, before = INT64_MAX;

    do {
        if (control_give_back(p->control, GIVE_PAGES, &left, p->err) != 0) {
            return -1;
        }
        if (left >= before) {
            return 0; /* somebody else needs pages as fast as we give them back */
        }
        before = left;
    } while (left > 0);
    return 0;
}

static int open_all(struct prune *p)
{
    const struct prune_config *c = p->config;
    char state_path[4096], key_path[4096];

    if (ship_paths(c->db, state_path, key_path, sizeof state_path, p->err) != 0 ||
        reader_open(&p->evidence, c->db, p->err) != 0) {
        return -1;
    }
    if (state_look(&p->state, state_path, p->err) != 0) {
        if (p->err->kind != ERR_SYSTEM || p->err->code != ENOENT) {
            return -1;
        }
        p->state = NULL;
        err_clear(p->err);
    }
    p->look.note = c->note;
    p->look.user = c->user;
    if (prune_look_open(&p->look, p->state, p->err) != 0) {
        return -1;
    }
    return c->dry_run ? 0 : control_open(&p->control, c->socket_or_null, c->db, p->err);
}

int prune_run(const struct prune_config *c, struct prune_result *ret, struct error *err)
{
    struct prune p = {.config = c, .ret = ret, .err = err};
    int rc;

    memset(ret, 0, sizeof *ret);
    rc = open_all(&p);
    if (rc == 0) {
        rc = reader_stored_bytes(p.evidence, &ret->kept_bytes, err);
    }
    if (rc == 0) {
        p.excess = c->keep_bytes > 0 ? ret->kept_bytes - c->keep_bytes : 0;
        rc = reader_prunable(p.evidence, each, &p, err) < 0 ? -1 : flush(&p);
    }
    if (rc == 0 && !c->dry_run && ret->segments > 0) {
        rc = give_back(&p);
    }
    if (p.control != NULL) {
        control_close(p.control);
    }
    ret->missing = p.look.missing;
    ret->unknown = p.look.unknown;
    prune_look_close(&p.look);
    free(p.kept);
    state_close(p.state);
    if (p.evidence != NULL) {
        reader_close(p.evidence);
    }
    return rc;
}
