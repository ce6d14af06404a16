/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "shipper/field.h"
#include "shipper/identity_key.h"

void identity_clear(struct identity *i)
{
    key_free(i->key);
    memset(i, 0, sizeof *i);
}

void identity_machine(char *ret, size_t size)
{
    struct buf b;

    buf_init(&b, 256);
    ret[0] = '\0';
    if (io_read_file(AT_FDCWD, "/etc/machine-id", 256, &b, NULL) == 0) {
        size_t n = 0;

        while (n < b.len && n + 1 < size && buf_data(&b)[n] > ' ') {
            ret[n] = (char)buf_data(&b)[n];
            n++;
        }
        ret[n] = '\0';
    }
    buf_clear(&b);
}

static int meta(struct reader *r, const char *key, char *ret, size_t size, struct error *err)
{
    struct buf b;
    int rc;

    buf_init(&b, size);
    rc = reader_meta(r, key, &b, err);
    ret[0] = '\0';
    if (rc == 1 && b.len < size) {
        if (b.len > 0) {
            memcpy(ret, buf_data(&b), b.len);
        }
        ret[b.len] = '\0';
    } else if (rc == 1) {
        rc = err_set(err, ERR_CORRUPT, "%s of the database is too long", key);
    }
    buf_clear(&b);
    return rc;
}

/* What the four places say. */
struct witnesses {
    char machine[65]; /* where evidence.db was made */
    struct state_identity state;
    bool used;       /* ship.db has batches of the database's epoch */
    struct key *key; /* NULL: no file */
    char why[256];
};

static int read_epoch(struct reader *r, struct identity *i, struct witnesses *w, struct error *err)
{
    char hex[2 * CHAIN_ID + 2];

    if (meta(r, "epoch", hex, sizeof hex, err) < 0 ||
        meta(r, "epoch_why", w->why, sizeof w->why, err) < 0) {
        return -1;
    }
    if (io_unhex(hex, i->epoch, CHAIN_ID) != 0) {
        return err_set(err, ERR_CORRUPT, "the database names no epoch");
    }
    return 0;
}

static int read_all(const struct identity_config *c, struct identity *i, struct witnesses *w,
                    struct error *err)
{
    struct error e = {.kind = ERR_NONE};
    const char *name = c->host_name;
    int used;

    if (read_epoch(c->evidence, i, w, err) != 0 ||
        meta(c->evidence, "host", i->host_id, sizeof i->host_id, err) < 0 ||
        meta(c->evidence, "machine_id", w->machine, sizeof w->machine, err) < 0 ||
        state_identity(c->state, &w->state, err) != 0) {
        return -1;
    }
    used = state_epoch_used(c->state, i->epoch, err);
    if (used < 0) {
        return -1;
    }
    w->used = used == 1;
    if (name == NULL || *name == '\0') {
        name = i->host_id;
    }
    if (!field_host_valid(name)) {
        return err_set(err, ERR_USAGE,
                       "host name for paths: letters, digits and ._:@+- only (see [s3] host_name)");
    }
    (void)snprintf(i->host, sizeof i->host, "%.128s", name);
    if (key_load(&w->key, c->key_path, &e) != 0) {
        w->key = NULL;
        if (e.kind != ERR_SYSTEM || e.code != ENOENT) {
            *err = e;
            return -1;
        }
    }
    return identity_finish_rotation(c, &w->state, &w->key, err);
}

static bool differs(const char *a, const char *b)
{
    return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* Why what is there cannot go on as it is; NULL when it can. */
static const char *misfit(const struct identity_config *c, const struct identity *i,
                          const struct witnesses *w)
{
    bool state_here = w->state.known && memcmp(w->state.epoch, i->epoch, CHAIN_ID) == 0;
    bool key_here = w->key != NULL && memcmp(key_binding(w->key)->epoch, i->epoch, CHAIN_ID) == 0;

    if (key_here && differs(key_binding(w->key)->machine, c->machine)) {
        return "another machine: the disk was cloned or moved";
    }
    if (key_here && c->instance_or_null != NULL &&
        differs(key_binding(w->key)->instance, c->instance_or_null)) {
        return "another instance: the disk was cloned or moved";
    }
    if (w->key == NULL && !w->state.known && differs(w->machine, c->machine)) {
        return "another machine: the database was copied";
    }
    if (!w->state.known && key_here) {
        return "ship.db was lost";
    }
    /* Its numbers are taken: a second batch 1 would contradict the first. */
    if (!state_here && w->used) {
        return "the database went back to an earlier epoch: a backup, or power went";
    }
    if (state_here && strcmp(w->state.host, i->host) != 0) {
        return "the host's name in paths changed";
    }
    if (state_here && w->state.key_number > 0 && !key_here) {
        return "the host's key was lost";
    }
    return NULL;
}

/* The epoch has no key yet: make it, sign its object with the key before it, if we have that. */
static int make_key(const struct identity_config *c, struct identity *i, struct witnesses *w,
                    struct error *err)
{
    struct key *previous = w->key;

    if (previous != NULL && memcmp(key_binding(previous)->epoch, i->epoch, CHAIN_ID) == 0) {
        /* ship.db was lost, or is older than the file: it is this epoch's key already. */
        i->key = previous;
        w->key = previous = NULL;
    } else if (identity_new_key(c, i->epoch, 1, &i->key, err) != 0) {
        return -1;
    }
    return identity_take_key(c, i->host, w->why, 1, i->key, previous, err);
}

static int settle(const struct identity_config *c, struct identity *i, struct witnesses *w,
                  struct error *err)
{
    const char *reason;

    if (read_all(c, i, w, err) != 0) {
        return -1;
    }
    reason = misfit(c, i, w);
    if (reason != NULL &&
        (c->new_epoch(c->user, reason, err) != 0 || read_epoch(c->evidence, i, w, err) != 0)) {
        return err_wrap(err, "begin a new epoch");
    }
    if (!w->state.known || memcmp(w->state.epoch, i->epoch, CHAIN_ID) != 0) {
        if (state_begin_epoch(c->state, i->host, i->epoch, err) != 0) {
            return -1;
        }
        w->state.key_number = 0;
    }
    if (w->state.key_number == 0) {
        return make_key(c, i, w, err);
    }
    i->key = w->key;
    w->key = NULL;
    return 0;
}

int identity_settle(const struct identity_config *c, struct identity *ret, struct error *err)
{
    struct witnesses w = {.key = NULL};
    int rc;

    memset(ret, 0, sizeof *ret);
    rc = settle(c, ret, &w, err);
    key_free(w.key);
    return rc;
}
