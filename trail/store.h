/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trail.db: what was read of the trail, so that no run reads a file twice: files with the state
 * their digest gave them, events with the file they stand in, the cursors of listings. Rebuildable:
 * whoever deletes it only reads the trail again.  Lies beside ship.db (embedded: <db>.trail.db),
 * and is another file since ship and correlate run at the same time.  One process at a time.
 */
#ifndef TTYTRAIL_TRAIL_STORE_H
#define TTYTRAIL_TRAIL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "trail/event.h"
#include "trail/verdict.h"

struct trail_store;

/** trail_store_open(ret, path, err): Made if absent; RETRY while another process has it. */
int trail_store_open(struct trail_store **ret, const char *path, struct error *err);
void trail_store_close(struct trail_store *t);
int trail_store_begin(struct trail_store *t, struct error *err);
int trail_store_commit(struct trail_store *t, struct error *err);
void trail_store_rollback(struct trail_store *t);

/** trail_store_has_file(t, object): 1 it was read whole, 0, -1. */
int trail_store_has_file(struct trail_store *t, const char *object, struct error *err);
/** trail_store_file(t, object, sha256, err): It was read; ${sha256}: of its uncompressed bytes. */
int trail_store_file(struct trail_store *t, const char *object, const uint8_t sha256[32],
                     struct error *err);
/** trail_store_file_state(t, object, state, err): What its digest said.  FAILED stays FAILED. */
int trail_store_file_state(struct trail_store *t, const char *object, enum verdict_digest state,
                           struct error *err);

/** trail_store_file_sha256(t, object, ret, err): 1, of its uncompressed bytes; 0: it was not read.
 */
int trail_store_file_sha256(struct trail_store *t, const char *object, uint8_t ret[32],
                            struct error *err);

/** trail_store_event(t, e, object, text, len, err): Keep ${e} with its own text: 1, or 0 when its
 * eventID is known (the copy in a file of better state counts; an addendum amends what it names).
 */
int trail_store_event(struct trail_store *t, const struct trail_event *e, const char *object,
                      const char *text, size_t len, struct error *err);

struct trail_stored {
    struct trail_event event;
    char object[1025];
    enum verdict_digest digest; /* of its file */
};
struct trail_query { /* 0 and "" ask for nothing */
    unsigned kinds;  /* 1 << enum trail_kind, or'ed */
    int64_t from_us, to_us;
    const char *instance, *session, *issued_key, *access_key, *event;
};
/** trail_store_events(t, q, cb, user, err): In order of time; ${cb}'s non-zero ends the walk. */
int trail_store_events(struct trail_store *t, const struct trail_query *q,
                       int (*cb)(void *user, const struct trail_stored *e), void *user,
                       struct error *err);

/** A cursor: the newest key listed below ${place} (a prefix of names). */
int trail_store_cursor(struct trail_store *t, const char *place, char *ret, size_t size,
                       struct error *err);
int trail_store_set_cursor(struct trail_store *t, const char *place, const char *key,
                           struct error *err);

/** Verdicts, newest revision of a subject: 1, 0 none.  Put: kept beside the older ones. */
int trail_store_verdict(struct trail_store *t, const uint8_t subject[16], struct verdict *ret,
                        struct error *err);
int trail_store_put_verdict(struct trail_store *t, const struct verdict *v, struct error *err);

#endif
