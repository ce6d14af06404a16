/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making keys and replacing them.  Order, of a new epoch's first key and of a rotation alike: the
 * next key's file, its object in ship.db (the moment it counts), the file's name.  A kill between
 * two steps leaves a <key>.next that either ship.db already names, or nobody, and the key before,
 * which vouches for it, in its place.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shipper/identity_instance.h"
#include "shipper/identity_key.h"

int identity_new_key(const struct identity_config *c, const uint8_t epoch[CHAIN_ID], int64_t number,
                     struct key **ret, struct error *err)
{
    struct key_binding b = {.number = number, .created_us = c->now_us};

    memcpy(b.epoch, epoch, CHAIN_ID);
    (void)snprintf(b.machine, sizeof b.machine, "%s", c->machine);
    (void)snprintf(b.instance, sizeof b.instance, "%s",
                   c->instance_or_null == NULL ? "" : c->instance_or_null);
    return key_generate(ret, &b, err);
}

static int key_made(const struct identity_config *c, const char *host, const char *why,
                    int64_t from_seq, const struct key *key, const struct key *previous,
                    struct error *err)
{
    struct keyobject_about about = {.host = host, .why = why, .from_seq = from_seq};
    const struct key_binding *b = key_binding(key);
    char name[KEYOBJECT_HOST + 128];
    struct buf line, document, rsa2048;
    int rc = -1;

    buf_init(&line, KEYOBJECT_MAX);
    buf_init(&document, KEYOBJECT_MAX);
    buf_init(&rsa2048, KEYOBJECT_MAX);
    if (c->describe && instance_describe(&document, &rsa2048) == 1) {
        about.document = &document;
        about.rsa2048 = &rsa2048;
    }
    keyobject_name(host, b->epoch, b->number, name, sizeof name);
    if (keyobject_put(&line, &about, key, previous, err) == 0) {
        rc = state_key_made(c->state, b->number, name, &line, err);
    }
    buf_clear(&rsa2048);
    buf_clear(&document);
    buf_clear(&line);
    return rc;
}

static int next_path(const char *path, char *ret, size_t size, struct error *err)
{
    int n = snprintf(ret, size, "%s.next", path);

    return n > 0 && (size_t)n < size ? 0 : err_set(err, ERR_USAGE, "path of the key is too long");
}

static int take_place(const char *next, const char *path, struct error *err)
{
    return rename(next, path) != 0 ? err_sys(err, "rename %s", next) : 0;
}

int identity_take_key(const struct identity_config *c, const char *host, const char *why,
                      int64_t from_seq, const struct key *key, const struct key *previous,
                      struct error *err)
{
    char next[4200];

    if (next_path(c->key_path, next, sizeof next, err) != 0 || key_save(key, next, err) != 0 ||
        key_made(c, host, why, from_seq, key, previous, err) != 0) {
        return -1;
    }
    /* It counts from here on; without the file's name the next start finishes it. */
    return take_place(next, c->key_path, err);
}

int identity_rotate(const struct identity_config *c, struct identity *i, struct error *err)
{
    struct state_identity at;
    struct key *key = NULL;

    if (state_identity(c->state, &at, err) != 0 ||
        identity_new_key(c, i->epoch, key_binding(i->key)->number + 1, &key, err) != 0) {
        return err_wrap(err, "rotate the host's key");
    }
    if (identity_take_key(c, i->host, "rotated", at.seq + 1, key, i->key, err) == 0) {
        key_free(i->key);
        i->key = key;
        return 0;
    }
    key_free(key);
    return err_wrap(err, "rotate the host's key");
}

int identity_finish_rotation(const struct identity_config *c, const struct state_identity *at,
                             struct key **key, struct error *err)
{
    struct error e = {.kind = ERR_NONE};
    const struct key_binding *b;
    struct key *waiting = NULL;
    char next[4200];

    if (next_path(c->key_path, next, sizeof next, err) != 0) {
        return -1;
    }
    if (key_load(&waiting, next, &e) != 0) {
        if (e.kind == ERR_SYSTEM && e.code == ENOENT) {
            return 0;
        }
        *err = e;
        return -1;
    }
    b = key_binding(waiting);
    if (!at->known || memcmp(b->epoch, at->epoch, CHAIN_ID) != 0 || b->number != at->key_number) {
        key_free(waiting);
        return unlink(next) != 0 ? err_sys(err, "remove %s", next) : 0;
    }
    if (take_place(next, c->key_path, err) != 0) {
        key_free(waiting);
        return -1;
    }
    key_free(*key);
    *key = waiting;
    return 0;
}
