/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shipper/depot.h"
#include "shipper/place.h"
#include "shipper/ship.h"
#include "shipper/state_life.h"
#include "storage/db/reader.h"

struct plan {
    struct reader *evidence;
    struct state *state; /* NULL: there is no ship.db yet */
    struct ship_plan *ret;
    int64_t *rows;
    size_t n, cap;
    struct error *err;
};

static int frozen_already(struct plan *p, const struct unshipped *u)
{
    uint8_t epoch[CHAIN_ID];
    struct session_row row;
    int64_t seq;
    int rc;

    if (p->state == NULL) {
        return 0;
    }
    session_row_init(&row);
    rc = reader_session(p->evidence, u->session_row, &row, p->err);
    if (rc == 1) {
        rc = state_find(p->state, row.id, u->number, epoch, &seq, p->err);
    }
    session_row_clear(&row);
    return rc;
}

static int add(void *user, const struct unshipped *u)
{
    struct plan *p = user;
    int rc = frozen_already(p, u);

    if (rc != 0) {
        return rc < 0 ? -1 : 0;
    }
    if (p->n == p->cap) {
        size_t cap = p->cap == 0 ? 256 : p->cap * 2;
        int64_t *rows = realloc(p->rows, cap * sizeof *rows);

        if (rows == NULL) {
            return err_sys(p->err, "allocate");
        }
        p->rows = rows;
        p->cap = cap;
    }
    p->rows[p->n++] = u->session_row;
    if (p->ret->oldest_us == 0 || u->sealed_us < p->ret->oldest_us) {
        p->ret->oldest_us = u->sealed_us;
    }
    p->ret->segments++;
    p->ret->bytes += u->size;
    return 0;
}

static int by_row(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int count_frozen(struct plan *p)
{
    int64_t after = 0;

    while (p->state != NULL) {
        struct state_batch b;
        int rc = state_unfinished(p->state, after, &b, p->err);

        if (rc != 1) {
            return rc;
        }
        p->ret->frozen += !b.done;
        after = b.id;
        state_batch_clear(&b);
    }
    return 0;
}

/* What ship_run would refuse before it sends anything. */
static int check_place(const struct plan *p, const struct ship_config *config)
{
    struct depot *store = NULL;
    char *where;
    int rc;

    if (config->to[0] == '\0') {
        return 0;
    }
    if (depot_open(&store, config->to, config->conf, p->err) != 0) {
        return -1;
    }
    depot_close(store);
    where = ship_place(config->to);
    if (where == NULL) {
        return err_sys(p->err, "allocate");
    }
    rc = p->state == NULL ? 0 : state_place_check(p->state, where, p->err);
    if (rc == 0) {
        rc = place_there(p->state, where, p->err);
    }
    free(where);
    return rc;
}

/* A shipper that runs meanwhile is no reason not to say what it would do. */
static int open_state(struct plan *p, const char *path)
{
    if (state_open(&p->state, path, p->err) == 0) {
        return 0;
    }
    return p->err->kind == ERR_RETRY ? state_look(&p->state, path, p->err) : -1;
}

int ship_plan(const struct ship_config *config, struct ship_plan *ret, struct error *err)
{
    char state_path[4096], key_path[4096];
    struct plan p = {.ret = ret, .err = err};
    int rc = -1;

    memset(ret, 0, sizeof *ret);
    if (ship_paths(config->db, state_path, key_path, sizeof state_path, err) != 0 ||
        reader_open(&p.evidence, config->db, err) != 0) {
        return -1;
    }
    if (access(state_path, F_OK) == 0 && open_state(&p, state_path) != 0) {
        goto out;
    }
    if (check_place(&p, config) != 0) {
        goto out;
    }
    if (reader_unshipped(p.evidence, INT64_MAX, add, &p, err) != 0 || count_frozen(&p) != 0) {
        goto out;
    }
    if (p.n > 0) {
        qsort(p.rows, p.n, sizeof *p.rows, by_row);
    }
    for (size_t i = 0; i < p.n; i++) {
        ret->sessions += i == 0 || p.rows[i] != p.rows[i - 1];
    }
    rc = 0;
out:
    free(p.rows);
    state_close(p.state);
    reader_close(p.evidence);
    return rc;
}

int ship_bound(const char *db, char *ret, unsigned long size, struct error *err)
{
    char state_path[4096], key_path[4096];
    struct state *s = NULL;
    int rc;

    ret[0] = '\0';
    if (ship_paths(db, state_path, key_path, sizeof state_path, err) != 0) {
        return -1;
    }
    if (state_look(&s, state_path, err) != 0) {
        return err->kind == ERR_SYSTEM && err->code == ENOENT ? 0 : -1;
    }
    rc = state_place(s, ret, size, err);
    state_close(s);
    return rc != 0 ? -1 : ret[0] != '\0';
}
