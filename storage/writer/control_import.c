/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that were recorded elsewhere come in as they were sealed.  The command has checked
 * signatures; here hash, number and chain are checked again, so that no command can put something
 * behind a session that its chain does not lead to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "storage/seal/segment.h"
#include "storage/writer/writer_impl.h"

static char *copy(const struct facts *row, const struct facts *own, const char *name)
{
    const struct facts *from = row;
    const uint8_t *value;
    size_t len = 0;

    if (!facts_get(row, name, &value, &len)) {
        from = own;
    }
    return facts_get(from, name, &value, &len) ? strndup((const char *)value, len) : strdup("");
}

static int take_id(const struct facts *row, const char *name, uint8_t ret[16], struct error *err)
{
    const uint8_t *value;
    size_t len;

    if (!facts_get(row, name, &value, &len) || len != 16) {
        return err_set(err, ERR_CORRUPT, "IMPORT_SESSION without %s", name);
    }
    memcpy(ret, value, 16);
    return 0;
}

static int take_state(const struct facts *row, enum session_state *ret, struct error *err)
{
    char text[16];

    facts_text(row, "state", text, sizeof text);
    for (int s = SESSION_OPEN; s <= SESSION_CUT; s++) {
        if (strcmp(text, session_state_name((enum session_state)s)) == 0) {
            *ret = (enum session_state)s;
            return 0;
        }
    }
    return err_set(err, ERR_CORRUPT, "IMPORT_SESSION with no such state");
}

static int take_row(const struct facts *row, const struct facts *own, struct session_row *r,
                    struct error *err)
{
    if (take_id(row, "id", r->id, err) != 0 || take_id(row, "epoch", r->epoch, err) != 0 ||
        take_state(row, &r->state, err) != 0) {
        return -1;
    }
    r->kind = copy(row, own, "kind");
    r->host = copy(row, own, "host");
    r->user = copy(row, own, "user");
    r->title = copy(row, own, "title");
    r->tty = copy(row, own, "tty");
    r->command = copy(row, own, "command");
    r->exit = copy(row, own, "exit");
    r->flags = copy(row, own, "flags");
    if (r->kind == NULL || r->host == NULL || r->user == NULL || r->title == NULL ||
        r->tty == NULL || r->command == NULL || r->exit == NULL || r->flags == NULL) {
        return err_sys(err, "allocate");
    }
    if (strlen(r->host) > 255) {
        return err_set(err, ERR_CORRUPT, "IMPORT_SESSION with a host of %zu bytes",
                       strlen(r->host));
    }
    r->uid = facts_int(row, "uid", 0);
    r->cols = facts_int(row, "cols", 0);
    r->rows = facts_int(row, "rows", 0);
    r->started_us = facts_int(row, "began_us", 0);
    r->ended_us = facts_int(row, "ended_us", 0);
    chain_start(r->host, r->epoch, r->id, r->head);
    memcpy(r->tail_base, r->head, CHAIN_HASH);
    (void)snprintf(r->writer_boot, sizeof r->writer_boot, "%s", SESSION_IMPORT_BOOT);
    (void)snprintf(r->recorder_boot, sizeof r->recorder_boot, "%s", SESSION_IMPORT_BOOT);
    return buf_append(&r->facts, own->bytes, own->len, err);
}

/* 1 it is the same, and was imported; 0 it was recorded here; -1. */
static int same_session(const struct session_row *here, const struct session_row *r,
                        struct error *err)
{
    if (!session_row_imported(here)) {
        return 0;
    }
    if (memcmp(here->epoch, r->epoch, CHAIN_ID) != 0 || strcmp(here->host, r->host) != 0 ||
        strcmp(here->user, r->user) != 0 || here->uid != r->uid ||
        here->started_us != r->started_us) {
        return err_set(err, ERR_USAGE, "another session with this id was imported before");
    }
    return 1;
}

static int store_row(struct writer *w, struct session_row *r, struct session_row *here,
                     int64_t values[2], struct error *err)
{
    uint64_t seq = 0;
    int rc = store_session_load(w->store, r->id, here, &seq, err);

    if (rc == 1) {
        rc = same_session(here, r, err);
        values[0] = here->segments;
        values[1] = rc == 1;
        if (rc != 1) {
            return rc;
        }
        r->row = here->row;
    } else if (rc == 0) {
        values[0] = 0;
        values[1] = 1;
        rc = store_session_insert(w->store, r, err);
    }
    return rc < 0 ? -1
                  : store_session_close(w->store, r->row, r->state, r->ended_us, r->exit, r->flags,
                                        err);
}

static int commit_row(struct writer *w, struct session_row *r, int64_t values[2], struct error *err)
{
    struct session_row here;
    int rc = -1;

    session_row_init(&here);
    if (store_begin(w->store, err) == 0) {
        rc = store_row(w, r, &here, values, err) == 0 ? store_commit(w->store, err) : -1;
        if (rc != 0) {
            store_rollback(w->store);
        }
    }
    session_row_clear(&here);
    return rc;
}

int control_on_import_session(struct writer *w, struct peer *p, const struct frame *f,
                              struct error *err)
{
    static const char *const names[] = {"segments", "imported"};
    uint32_t n = f->len < 4 ? 0 : io_get_be32(f->body);
    int64_t values[2] = {0, 0};
    struct facts row, own;
    struct session_row r;
    int rc;

    if (f->len < 4 || n > f->len - 4) {
        return err_set(err, ERR_CORRUPT, "IMPORT_SESSION of %lu bytes", (unsigned long)f->len);
    }
    if (facts_parse(f->body + 4, n, &row, err) != 0 ||
        facts_parse(f->body + 4 + n, f->len - 4 - n, &own, err) != 0) {
        return -1;
    }
    session_row_init(&r);
    rc = take_row(&row, &own, &r, err);
    if (rc == 0) {
        rc = commit_row(w, &r, values, err);
    }
    session_row_clear(&r);
    return rc == 0 ? control_answer(p, names, values, 2, err) : -1;
}

/* ---- segments ---- */

static int take_hash(const struct facts *f, const char *name, uint8_t ret[CHAIN_HASH],
                     struct error *err)
{
    const uint8_t *value;
    size_t len;

    if (!facts_get(f, name, &value, &len) || len != CHAIN_HASH) {
        return err_set(err, ERR_CORRUPT, "IMPORT_SEGMENT without %s", name);
    }
    memcpy(ret, value, CHAIN_HASH);
    return 0;
}

static int begin_segment(struct peer *p, const struct frame *f, const struct facts *about,
                         struct error *err)
{
    struct peer_import *i = &p->import;
    struct store_segment *g = &i->segment;
    int64_t size = facts_int(about, "size", 0);

    if (size <= 0 || size > SEGMENT_MAX_BYTES) {
        return err_set(err, ERR_CORRUPT, "IMPORT_SEGMENT of a segment of %lld bytes",
                       (long long)size);
    }
    memset(g, 0, sizeof *g);
    memcpy(i->session, f->body, sizeof i->session);
    i->size = (size_t)size;
    g->number = io_get_be32(f->body + 16);
    g->final = facts_int(about, "final", 0) != 0;
    g->text_size = facts_int(about, "text_size", 0);
    g->events = facts_int(about, "events", 0);
    g->first_t_us = facts_int(about, "first_t_us", 0);
    g->last_t_us = facts_int(about, "last_t_us", 0);
    g->sealed_us = facts_int(about, "sealed_us", 0);
    g->bytes_out = facts_int(about, "bytes_out", 0);
    g->bytes_in = facts_int(about, "bytes_in", 0);
    g->redactions = facts_int(about, "redactions", 0);
    buf_clear(&i->bytes);
    buf_init(&i->bytes, i->size);
    return take_hash(about, "sha256", g->sha256, err) != 0 ? -1
                                                           : take_hash(about, "head", g->head, err);
}

/* In the transaction: the session has to be one that was imported, and this its next segment. */
static int store_whole(struct writer *w, struct peer_import *i, struct session_row *s,
                       struct error *err)
{
    struct store_segment *g = &i->segment;
    uint8_t sha[CHAIN_HASH];
    uint64_t seq = 0;
    int rc = store_session_load(w->store, i->session, s, &seq, err);

    if (rc < 0) {
        return -1;
    }
    if (rc == 0 || !session_row_imported(s) || s->final || g->number != s->segments) {
        return err_set(err, ERR_USAGE, "segment %lld is not the next one of an imported session",
                       (long long)g->number);
    }
    chain_sha256(buf_data(&i->bytes), i->bytes.len, sha);
    chain_extend(s->head, (uint64_t)g->number, sha);
    if (memcmp(sha, g->sha256, CHAIN_HASH) != 0 || memcmp(s->head, g->head, CHAIN_HASH) != 0) {
        return err_set(err, ERR_USAGE, "segment %lld is not what the chain leads to",
                       (long long)g->number);
    }
    g->session_row = s->row;
    g->bytes = buf_data(&i->bytes);
    g->len = i->bytes.len;
    memcpy(g->tail_base, g->head, CHAIN_HASH);
    return store_segment_insert(w->store, g, err) != 0
               ? -1
               : store_session_shipped(w->store, i->session, g->number + 1, err);
}

static int commit_segment(struct writer *w, struct peer_import *i, struct error *err)
{
    struct session_row s;
    int rc = -1;

    session_row_init(&s);
    if (store_begin(w->store, err) == 0) {
        rc = store_whole(w, i, &s, err) == 0 ? store_commit(w->store, err) : -1;
        if (rc != 0) {
            store_rollback(w->store);
        }
    }
    session_row_clear(&s);
    buf_clear(&i->bytes);
    i->size = 0;
    turn_checkpoint(w, false);
    return rc;
}

int control_on_import_segment(struct writer *w, struct peer *p, const struct frame *f,
                              struct error *err)
{
    struct peer_import *i = &p->import;
    uint32_t offset, n;
    struct facts about;

    if (f->len < 28) {
        return err_set(err, ERR_CORRUPT, "IMPORT_SEGMENT of %lu bytes", (unsigned long)f->len);
    }
    offset = io_get_be32(f->body + 20);
    n = io_get_be32(f->body + 24);
    if (n >= f->len - 28 || facts_parse(f->body + 28, n, &about, err) != 0) {
        return err_set(err, ERR_CORRUPT, "IMPORT_SEGMENT without bytes");
    }
    if (offset == 0 && begin_segment(p, f, &about, err) != 0) {
        return -1;
    }
    if (i->size == 0 || offset != i->bytes.len || memcmp(f->body, i->session, 16) != 0 ||
        io_get_be32(f->body + 16) != i->segment.number ||
        f->len - 28 - n > i->size - i->bytes.len) {
        return err_set(err, ERR_CORRUPT, "pieces of a segment are not in order");
    }
    if (buf_append(&i->bytes, f->body + 28 + n, f->len - 28 - n, err) != 0) {
        return -1;
    }
    if (i->bytes.len == i->size && commit_segment(w, i, err) != 0) {
        return -1;
    }
    peer_send(p, FRAME_DONE, NULL, 0);
    return 0;
}
