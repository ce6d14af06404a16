/* SPDX-License-Identifier: Apache-2.0 */
/* What manifests say of sessions: the newest row of each, and how far it has to reach.  A tree, not
 * a hash table: ids are chosen by whoever writes manifests. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/verify_store.h"

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct verify_said *)a)->id, ((const struct verify_said *)b)->id,
                  CHAIN_ID);
}

struct verify_said *verify_said_of(struct verify_store *vs, const uint8_t id[CHAIN_ID])
{
    struct verify_said key = {.next = 0};
    void *at;

    memcpy(key.id, id, CHAIN_ID);
    at = tfind(&key, &vs->said, by_id);
    return at == NULL ? NULL : *(struct verify_said **)at;
}

static struct verify_said *make(struct verify_store *vs, const uint8_t id[CHAIN_ID],
                                struct error *err)
{
    struct verify_said *s = verify_said_of(vs, id);

    if (s != NULL) {
        return s;
    }
    s = calloc(1, sizeof *s);
    if (s != NULL) {
        memcpy(s->id, id, CHAIN_ID);
        if (tsearch(s, &vs->said, by_id) != NULL) {
            return s;
        }
    }
    free(s);
    (void)err_sys(err, "allocate");
    return NULL;
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

static int note_row(struct verify_store *vs, const struct manifest *m,
                    const struct manifest_session *row, struct error *err)
{
    struct verify_said *s = make(vs, row->id, err);

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
    struct verify_said *s = o->next == 0 ? NULL : make(vs, o->session, err);

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
        rc = verify_in_scope(vs, m->sessions[i].id) ? note_row(vs, m, &m->sessions[i], err) : 0;
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
