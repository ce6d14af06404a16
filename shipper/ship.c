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
#include "shipper/identity_instance.h"
#include "shipper/place.h"
#include "shipper/seal_wait.h"
#include "shipper/ship_engine.h"
#include "shipper/ship_tell.h"
#include "shipper/state_life.h"
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
    struct batch_walk walk;
    struct deliver deliver; /* of key objects; batches go through the engine */
    struct ship_engine engine;
    char *where; /* the store's URL, spelled in one way */
    int64_t waiting_segments, waiting_bytes;
};

static void note(void *user, const char *text)
{
    struct ship *s = user;

    if (s->config->note != NULL) {
        s->config->note(s->config->user, text);
    }
}

/* What has to be known later too, by `ttytrail status`. */
static void note_event(struct ship *s, const char *kind, const char *text)
{
    note(s, text);
    if (s->state != NULL) {
        (void)state_event(s->state, kind, text, clock_unix_us(), NULL);
    }
}

/* The store's own words for what nobody but us should have done; the rest is to know. */
static void note_alarm(void *user, const char *text)
{
    note_event(user, strncmp(text, "ALARM", 5) == 0 ? "alarm" : "note", text);
}

static void note_stuck(void *user, const char *text)
{
    ((struct ship *)user)->result->set_aside++;
    note_event(user, "set-aside", text);
}

static int new_epoch(void *user, const char *reason, struct error *err)
{
    struct ship *s = user;
    char text[256];

    (void)snprintf(text, sizeof text, "a new epoch begins: %s", reason);
    note_event(s, "epoch", text);
    return control_epoch(s->control, reason, err);
}

/* ---- what the engine asks of us ---- */

static void count(void *user, const struct state_batch *b)
{
    struct ship *s = user;
    struct manifest names = {.seq = b->seq, .created_us = b->created_us};
    char name[MANIFEST_BATCH_NAME];
    struct ship_batch told = {name, b->kind, b->seq, b->segments, b->pack_size};

    memcpy(names.pack_sha256, b->pack_sha256, CHAIN_HASH);
    manifest_batch_name(&names, name);
    s->result->batches++;
    s->result->heartbeats += b->segments == 0;
    s->result->segments += b->segments;
    s->result->bytes += b->pack_size;
    if (s->config->batch != NULL) {
        s->config->batch(s->config->user, &told);
    }
}

static void progress(void *user)
{
    struct ship *s = user;
    struct ship_progress p = {s->engine.segments_done, s->engine.bytes_done, s->waiting_segments,
                              s->waiting_bytes};

    if (s->config->progress != NULL) {
        s->config->progress(s->config->user, &p);
    }
}

static int tell(void *user, const struct state_batch *b, struct error *err)
{
    struct ship *s = user;

    return ship_tell(s->state, s->control, b, err);
}

struct publishing {
    struct ship *s;
    struct error *err;
};

/* A directory can be lost and made anew by hand: keys go there again with what is sent again.  What
 * has the name is left alone; it was told when it was met first. */
static int restore_key(struct ship *s, const struct depot_put *put, struct error *err)
{
    enum depot_put_result r;

    return depot_put(s->store, put, &r, err);
}

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
    if (deliver_object(&p->s->deliver, &put, p->err) != 0) {
        return -1;
    }
    return place_dir(p->s->where) == NULL ? 0 : restore_key(p->s, &put, p->err);
}

/* Before the first batch of a run, and not at all without one.  A store that took an object is the
 * place from then on; one that was mistyped is not. */
static int publish(void *user, struct error *err)
{
    struct ship *s = user;
    struct publishing p = {s, err};

    if (place_there(s->state, s->where, err) != 0) {
        return -1;
    }
    if (state_keys(s->state, publish_key, &p, err) != 0) {
        return err_wrap(err, "ship the host's public key");
    }
    return state_place_set(s->state, s->where, err);
}

/* ---- the run ---- */

static int add_waiting(void *user, const struct unshipped *u)
{
    struct ship *s = user;

    s->waiting_segments++;
    s->waiting_bytes += u->size;
    return 0;
}

static int send_all(struct ship *s, const struct ship_life *life, struct error *err)
{
    const struct conf *c = s->config->conf;
    struct state_identity at;

    int rc;

    if (s->config->progress != NULL &&
        reader_unshipped(s->evidence, s->source.horizon, add_waiting, s, err) != 0) {
        return -1;
    }
    if (ship_life_begin(life, err) != 0 || ship_engine_run(&s->engine, true, err) != 0) {
        return -1;
    }
    rc = ship_life_end(life, err);
    if (rc != 0) {
        return rc == 1 ? ship_engine_run(&s->engine, false, err) : -1;
    }
    if (state_identity(s->state, &at, err) != 0) {
        return -1;
    }
    if (batch_heartbeat_due(at.last_us, clock_unix_us(), c->heartbeat_h)) {
        return batch_heartbeat(&s->source, clock_unix_us(), err) == 0
                   ? ship_engine_run(&s->engine, false, err)
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
                   state_many_open(s->state, err) == 0 &&
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

static void start_engine(struct ship *s)
{
    const struct conf *c = s->config->conf;

    s->engine = (struct ship_engine){.db = s->config->db,
                                     .where = s->where,
                                     .state = s->state,
                                     .store = s->store,
                                     .source = &s->source,
                                     .in_flight = (unsigned)c->ship_in_flight,
                                     .bytes.per_s = c->ship_rate_kib_s * 1024,
                                     .requests.per_s = c->ship_requests_s,
                                     .prepare = publish,
                                     .tell = tell,
                                     .stored = count,
                                     .aside = note_stuck,
                                     .note = note_alarm,
                                     .progress = progress,
                                     .user = s};
}

static int run(struct ship *s, struct error *err)
{
    char state_path[4096], key_path[4096], machine[65], instance[INSTANCE_ID];
    struct identity_config who = {.key_path = key_path,
                                  .host_name = s->config->conf->s3_host_name,
                                  .machine = machine,
                                  .instance_or_null = instance,
                                  .new_epoch = new_epoch,
                                  .user = s};

    struct ship_life life = {.orders = &s->config->orders,
                             .source = &s->source,
                             .who = &who,
                             .identity = &s->identity,
                             .note = note,
                             .user = s};
    int rc;

    identity_machine(machine, sizeof machine);
    instance_id(instance);
    who.describe = instance[0] != '\0' || getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT") != NULL;
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
    s->source.heartbeat_h = s->config->conf->heartbeat_h;
    s->source.note = note_stuck;
    s->source.user = s;
    s->source.walk = &s->walk;
    s->deliver = (struct deliver){
        .state = s->state, .store = s->store, .where = s->where, .note = note_alarm, .user = s};
    start_engine(s);
    rc = send_all(s, &life, err);
    if (rc == 0 && !s->engine.prepared) {
        rc = place_there(s->state, s->where, err); /* before it is said that all is there */
    }
    return rc == 0 ? state_stored_segments(s->state, &s->result->stored, err) : rc;
}

int ship_run(const struct ship_config *config, struct ship_result *ret, struct error *err)
{
    struct ship s = {.config = config, .result = ret};
    int rc;

    memset(ret, 0, sizeof *ret);
    s.where = ship_place(config->to);
    rc = s.where == NULL ? err_sys(err, "allocate") : run(&s, err);
    ship_life_remember(s.state, ret->set_aside, rc == 0 ? NULL : err);
    ret->puts = s.deliver.puts + s.engine.puts;
    ship_engine_close(&s.engine);
    batch_walk_clear(&s.walk);
    identity_clear(&s.identity);
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
