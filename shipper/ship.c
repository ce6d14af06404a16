/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/ship.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "shipper/batch.h"
#include "shipper/deliver.h"
#include "shipper/identity.h"
#include "shipper/seal_wait.h"
#include "storage/seal/segment.h"
#include "storage/wire/control.h"

struct ship {
    const struct ship_config *config;
    struct ship_result *result;
    struct state *state;
    struct reader *evidence;
    struct control *control;
    struct depot *store;
    struct json *json;
    struct identity identity;
    struct batch_source source;
    struct deliver deliver;
    char *where;     /* the store's URL, spelled in one way */
    struct buf pack; /* of the batch frozen last, kept for sending it */
    int64_t pack_seq;
    bool published; /* the keys are in the store, and it is the place */
    bool pack_gone; /* the evidence no longer gives the bytes that were frozen */
};

static void note(void *user, const char *text)
{
    struct ship *s = user;

    if (s->config->note != NULL) {
        s->config->note(s->config->user, text);
    }
}

static void note_stuck(void *user, const char *text)
{
    ((struct ship *)user)->result->set_aside++;
    note(user, text);
}

static int new_epoch(void *user, const char *reason, struct error *err)
{
    struct ship *s = user;
    char text[256];

    (void)snprintf(text, sizeof text, "a new epoch begins: %s", reason);
    note(s, text);
    return control_epoch(s->control, reason, err);
}

int ship_paths(const char *db, char *ret_state, char *ret_key, unsigned long size,
               struct error *err)
{
    /* Installed: evidence/evidence.db, ship/ship.db, ship/host.key; embedded: beside the database.
     */
    static const char installed[] = "/var/lib/ttytrail/evidence/evidence.db";
    int a, b;

    if (strcmp(db, installed) == 0) {
        a = snprintf(ret_state, size, "/var/lib/ttytrail/ship/ship.db");
        b = snprintf(ret_key, size, "/var/lib/ttytrail/ship/host.key");
    } else {
        a = snprintf(ret_state, size, "%s.ship.db", db);
        b = snprintf(ret_key, size, "%s.key", db);
    }
    if (a < 0 || b < 0 || (size_t)a >= size || (size_t)b >= size) {
        return err_set(err, ERR_USAGE, "path of the database is too long");
    }
    return 0;
}

/* ---- one batch ---- */

static int put_pack(struct ship *s, const struct state_batch *b, const char *name,
                    struct error *err)
{
    struct depot_put put = {
        .name = name, .sha256 = b->pack_sha256, .content_type = "application/gzip"};
    struct state_attempts before = {.confirmed = false};

    if (state_attempts(s->state, s->where, name, &before, err) != 0) {
        return -1;
    }
    if (before.confirmed) {
        return 0;
    }
    if (s->pack_seq != b->seq) {
        buf_reset(&s->pack);
        if (batch_pack(&s->source, b, &s->pack, err) != 0) {
            s->pack_gone = err->kind == ERR_CORRUPT;
            return -1;
        }
        s->pack_seq = b->seq;
    }
    put.bytes = buf_data(&s->pack);
    put.len = s->pack.len;
    return deliver_object(&s->deliver, &put, err);
}

/* The manifest goes last: it makes the batch exist. */
static int put_batch(struct ship *s, const struct state_batch *b, const struct manifest *names,
                     struct error *err)
{
    char pack[MANIFEST_OBJECT_NAME], manifest[MANIFEST_OBJECT_NAME];
    uint8_t sha[CHAIN_HASH];
    struct depot_put put = {.name = manifest,
                            .bytes = buf_data(&b->line),
                            .len = b->line.len,
                            .sha256 = sha,
                            .content_type = "application/json"};

    manifest_pack_name(names, pack);
    manifest_name(names, manifest);
    chain_sha256(put.bytes, put.len, sha);
    if (b->segments > 0 && put_pack(s, b, pack, err) != 0) {
        return -1;
    }
    if (deliver_object(&s->deliver, &put, err) != 0) {
        return -1;
    }
    return state_done(s->state, b->id, err);
}

struct telling {
    struct ship *s;
    uint8_t (*told)[CHAIN_ID];
    size_t n, cap;
    struct error *err;
};

/* Once per session per batch. */
static int tell_member(void *user, const struct state_member *m)
{
    struct telling *t = user;
    struct session_row row;
    int64_t stored = 0;
    int rc;

    for (size_t i = t->n; i-- > 0;) {
        if (memcmp(t->told[i], m->session, CHAIN_ID) == 0) {
            return 0;
        }
    }
    if (t->n < t->cap) {
        memcpy(t->told[t->n++], m->session, CHAIN_ID);
    }
    session_row_init(&row);
    rc = reader_session(t->s->evidence, m->session_row, &row, t->err);
    if (rc == 1 && memcmp(row.id, m->session, CHAIN_ID) != 0) {
        rc = 0;
    }
    session_row_clear(&row);
    if (rc != 1) {
        return rc; /* gone since: nobody to tell */
    }
    if (state_stored(t->s->state, m->session, &stored, t->err) != 0) {
        return -1;
    }
    return stored > UINT32_MAX
               ? 0
               : control_shipped(t->s->control, m->session, (uint32_t)stored, t->err);
}

static int tell(struct ship *s, const struct state_batch *b, struct error *err)
{
    struct telling t = {.s = s, .cap = (size_t)b->segments, .err = err};
    int rc;

    t.told = calloc(t.cap + 1, sizeof *t.told);
    if (t.told == NULL) {
        return err_sys(err, "allocate");
    }
    rc = state_members(s->state, b->id, tell_member, &t, err);
    free(t.told);
    return rc != 0 ? err_wrap(err, "tell the writer what is shipped")
                   : state_told(s->state, b->id, err);
}

static void count(struct ship *s, const struct state_batch *b, const char *name)
{
    struct ship_batch told = {name, b->kind, b->seq, b->segments, b->pack_size};

    s->result->batches++;
    s->result->heartbeats += b->segments == 0;
    s->result->segments += b->segments;
    s->result->bytes += b->pack_size;
    if (s->config->batch != NULL) {
        s->config->batch(s->config->user, &told);
    }
}

struct publishing {
    struct ship *s;
    struct error *err;
};

static int publish_key(void *user, const char *name, const struct buf *line)
{
    struct publishing *p = user;
    uint8_t sha[CHAIN_HASH];
    struct depot_put put = {.name = name,
                            .bytes = buf_data(line),
                            .len = line->len,
                            .sha256 = sha,
                            .content_type = "application/json"};

    chain_sha256(put.bytes, put.len, sha);
    return deliver_object(&p->s->deliver, &put, p->err);
}

/* Before the first batch of a run, and not at all without one.  A store that took an object is the
 * place from then on; one that was mistyped is not. */
static int publish(struct ship *s, struct error *err)
{
    struct publishing p = {s, err};

    if (s->published) {
        return 0;
    }
    if (state_keys(s->state, publish_key, &p, err) != 0) {
        return err_wrap(err, "ship the host's public key");
    }
    s->published = true;
    return state_place_set(s->state, s->where, err);
}

static int send_batch(struct ship *s, struct state_batch *b, struct error *err)
{
    struct manifest names = {.seq = b->seq, .created_us = b->created_us};
    char name[MANIFEST_BATCH_NAME];

    (void)snprintf(names.host, sizeof names.host, "%s", b->host);
    memcpy(names.pack_sha256, b->pack_sha256, CHAIN_HASH);
    if (!b->done) {
        if (publish(s, err) != 0) {
            return -1;
        }
        if (put_batch(s, b, &names, err) != 0) {
            return err_wrap(err, "ship batch %lld", (long long)b->seq);
        }
        manifest_batch_name(&names, name);
        count(s, b, name);
    }
    return tell(s, b, err);
}

/* Everything that is frozen.  A batch whose bytes are gone blocks nothing. */
static int send_frozen(struct ship *s, int64_t *after, struct error *err)
{
    for (;;) {
        struct state_batch b;
        int rc = state_unfinished(s->state, *after, &b, err);

        if (rc != 1) {
            return rc;
        }
        s->pack_gone = false;
        rc = send_batch(s, &b, err);
        if (rc != 0 && s->pack_gone) {
            note_stuck(s, err->text);
            *after = b.id;
            rc = 0;
        }
        state_batch_clear(&b);
        if (rc != 0) {
            return -1;
        }
    }
}

/* ---- the run ---- */

static int send_all(struct ship *s, struct error *err)
{
    const struct conf *c = s->config->conf;
    struct state_identity at;
    int64_t after = 0;
    int rc;

    if (send_frozen(s, &after, err) != 0) {
        return -1;
    }
    do {
        buf_reset(&s->pack);
        s->pack_seq = 0;
        rc = batch_freeze(&s->source, clock_unix_us(), &s->pack, err);
        if (rc == 1 && state_identity(s->state, &at, err) == 0) {
            s->pack_seq = at.seq;
            rc = send_frozen(s, &after, err) == 0 ? 1 : -1;
        }
    } while (rc == 1);
    if (rc < 0 || state_identity(s->state, &at, err) != 0) {
        return -1;
    }
    if (batch_heartbeat_due(at.last_us, clock_unix_us(), c->heartbeat_h)) {
        return batch_heartbeat(&s->source, clock_unix_us(), err) == 0 ? send_frozen(s, &after, err)
                                                                      : -1;
    }
    return 0;
}

static int open_all(struct ship *s, const char *state_path, struct error *err)
{
    const struct ship_config *c = s->config;

    /* The store first: an address or a credential that is wrong changes nothing here. */
    return depot_open(&s->store, c->to, c->conf, err) == 0 &&
                   reader_open(&s->evidence, c->db, err) == 0 &&
                   state_open(&s->state, state_path, err) == 0 &&
                   state_place_check(s->state, s->where, err) == 0 &&
                   json_open(&s->json, err) == 0 &&
                   control_open(&s->control, c->socket_or_null, c->db, err) == 0 &&
                   seal_wait(s->control, s->evidence, &s->source.horizon, err) == 0
               ? 0
               : -1;
}

static int one_waits(void *user, const struct unshipped *u)
{
    (void)user;
    (void)u;
    return 1;
}

/* Whether there is a reason to be somebody: without one no key is made and no epoch begins.  1, 0,
 * -1. */
static int has_reason(struct ship *s, struct error *err)
{
    struct state_identity i;

    if (state_identity(s->state, &i, err) != 0) {
        return -1;
    }
    return i.known ? 1 : reader_unshipped(s->evidence, s->source.horizon, one_waits, NULL, err);
}

static int run(struct ship *s, struct error *err)
{
    char state_path[4096], key_path[4096], machine[65];
    struct identity_config who = {.key_path = key_path,
                                  .host_name = s->config->conf->s3_host_name,
                                  .machine = machine,
                                  .new_epoch = new_epoch,
                                  .user = s};

    int rc;

    identity_machine(machine, sizeof machine);
    if (ship_paths(s->config->db, state_path, key_path, sizeof state_path, err) != 0 ||
        open_all(s, state_path, err) != 0) {
        return -1;
    }
    rc = has_reason(s, err);
    if (rc != 1) {
        return rc;
    }
    who.evidence = s->evidence;
    who.state = s->state;
    who.now_us = clock_unix_us();
    if (identity_settle(&who, &s->identity, err) != 0) {
        return -1;
    }
    s->source.evidence = s->evidence;
    s->source.state = s->state;
    s->source.json = s->json;
    s->source.identity = &s->identity;
    s->source.pack_bytes = (size_t)s->config->conf->ship_kib * 1024;
    s->source.note = note_stuck;
    s->source.user = s;
    s->deliver = (struct deliver){
        .state = s->state, .store = s->store, .where = s->where, .note = note, .user = s};
    rc = send_all(s, err);
    return rc == 0 ? state_stored_segments(s->state, &s->result->stored, err) : rc;
}

/* "s3://b/p/" is no other place than "s3://b/p", "/dir" none than "file:///dir". */
char *ship_place(const char *url)
{
    size_t n = strlen(url);
    char *ret = NULL;

    while (n > 0 && url[n - 1] == '/') {
        n--;
    }
    return asprintf(&ret, "%s%.*s", url[0] == '/' ? "file://" : "", (int)n, url) < 0 ? NULL : ret;
}

int ship_run(const struct ship_config *config, struct ship_result *ret, struct error *err)
{
    struct ship s = {.config = config, .result = ret};
    int rc;

    memset(ret, 0, sizeof *ret);
    buf_init(&s.pack, SEGMENT_MAX_BYTES + (size_t)config->conf->ship_kib * 1024);
    s.where = ship_place(config->to);
    rc = s.where == NULL ? err_sys(err, "allocate") : run(&s, err);
    ret->puts = s.deliver.puts;
    identity_clear(&s.identity);
    buf_clear(&s.pack);
    if (s.control != NULL) {
        control_close(s.control);
    }
    json_close(s.json);
    state_close(s.state);
    if (s.evidence != NULL) {
        reader_close(s.evidence);
    }
    depot_close(s.store);
    free(s.where);
    return rc;
}
