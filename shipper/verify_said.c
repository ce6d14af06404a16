/* SPDX-License-Identifier: Apache-2.0 */
/* What manifests say of sessions: the newest row of each, and how far it has to reach.  A tree, not
 * a hash table: ids are chosen by whoever writes manifests. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/verify_store.h"

static int by_id(const void *a, const void *b)
{
    const struct verify_said *x = a, *y = b;
    int c = memcmp(x->id, y->id, CHAIN_ID);

    return c != 0 ? c : (x->by > y->by) - (x->by < y->by); /* of one array */
}

static struct verify_said *make(struct verify_store *vs, const struct verify_key *by,
                                const uint8_t id[CHAIN_ID], struct error *err)
{
    struct verify_said key = {.by = by}, *s, **at;

    memcpy(key.id, id, CHAIN_ID);
    at = tfind(&key, &vs->said, by_id);
    if (at != NULL) {
        return *at;
    }
    s = calloc(1, sizeof *s);
    if (s != NULL) {
        *s = key;
        if (tsearch(s, &vs->said, by_id) != NULL) {
            vs->n_said++;
            return s;
        }
    }
    free(s);
    (void)err_sys(err, "allocate");
    return NULL;
}

struct listed {
    struct verify_said **at;
    size_t n;
};

static void list_one(const void *node, VISIT which, void *user)
{
    struct listed *l = user;

    if (which == postorder || which == leaf) {
        l->at[l->n++] = *(struct verify_said *const *)node;
    }
}

struct verify_said **verify_said_list(struct verify_store *vs, size_t *ret_n, struct error *err)
{
    struct listed l = {calloc(vs->n_said + 1, sizeof(void *)), 0};

    if (l.at == NULL) {
        (void)err_sys(err, "allocate");
    } else {
        twalk_r(vs->said, list_one, &l);
    }
    *ret_n = l.n;
    return l.at;
}

static void forget_row(struct verify_said *s)
{
    free(s->host);
    free(s->user);
    free(s->title);
    s->host = s->user = s->title = NULL;
    s->row_us = 0;
}

/* Of two rows the later one; of two at the same time the same one whatever thread comes first. */
static bool newer(const struct verify_said *s, int64_t us, const struct manifest_session *row)
{
    if (s->row_us != us) {
        return us > s->row_us;
    }
    return s->host == NULL || strcmp(row->host, s->host) > 0;
}

static int note_row(struct verify_store *vs, const struct verify_batch *b, const struct manifest *m,
                    const struct manifest_session *row, struct error *err)
{
    struct verify_said *s = make(vs, b->key->first, row->id, err);

    if (s == NULL) {
        return -1;
    }
    if (!newer(s, m->created_us, row)) {
        return 0;
    }
    forget_row(s);
    s->host = strdup(row->host);
    s->user = strdup(row->user);
    s->title = strdup(row->title);
    if (s->host == NULL || s->user == NULL || s->title == NULL) {
        forget_row(s);
        return err_sys(err, "allocate");
    }
    s->row_us = m->created_us;
    s->started_us = row->started_us;
    s->cut = strcmp(row->state, session_state_name(SESSION_CUT)) == 0;
    return 0;
}

static int note_open(struct verify_store *vs, const struct verify_batch *b,
                     const struct manifest_open *o, struct error *err)
{
    struct verify_said *s = o->next == 0 ? NULL : make(vs, b->key->first, o->session, err);

    if (o->next == 0) {
        return 0; /* it is promised nothing */
    }
    if (s == NULL) {
        return -1;
    }
    if (o->next > s->next ||
        (o->next == s->next && strcmp(b->found->name, s->next_from->found->name) < 0)) {
        s->next = o->next;
        s->next_from = b;
    }
    return 0;
}

int verify_said_note(struct verify_store *vs, const struct verify_batch *b,
                     const struct manifest *m, struct error *err)
{
    int rc = 0;

    (void)pthread_mutex_lock(&vs->lock);
    for (size_t i = 0; rc == 0 && i < m->n_sessions; i++) {
        rc = verify_in_scope(vs, m->sessions[i].id) ? note_row(vs, b, m, &m->sessions[i], err) : 0;
    }
    for (size_t i = 0; rc == 0 && i < m->n_open; i++) {
        rc = verify_in_scope(vs, m->open[i].session) ? note_open(vs, b, &m->open[i], err) : 0;
    }
    (void)pthread_mutex_unlock(&vs->lock);
    return rc;
}

static void free_one(void *user)
{
    forget_row(user);
    free(user);
}

void verify_said_clear(struct verify_store *vs)
{
    tdestroy(vs->said, free_one);
    vs->said = NULL;
}
