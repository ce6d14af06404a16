/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who this host is: its name in paths, its epoch and its key.  Compares what evidence.db, ship.db,
 * the key's file and the machine say; what does not fit begins a new epoch that says why (a clone,
 * a lost ship.db, a lost key).  Safe to be killed between any two steps.
 */
#ifndef TTYTRAIL_SHIPPER_IDENTITY_H
#define TTYTRAIL_SHIPPER_IDENTITY_H

#include <stdbool.h>

#include "common/err.h"
#include "shipper/key.h"
#include "shipper/state.h"
#include "storage/db/reader.h"

struct identity {
    char host[MANIFEST_HOST]; /* in paths */
    char host_id[256];        /* as evidence.db has it */
    uint8_t epoch[CHAIN_ID];
    struct key *key;
};

struct identity_config {
    struct reader *evidence;
    struct state *state;
    const char *key_path;
    const char *host_name;        /* [s3] host_name, "" for the host's id */
    const char *machine;          /* this machine's id, "" when unknown */
    const char *instance_or_null; /* EC2 instance, "" for none */
    bool describe;                /* ask IMDS for what AWS signed, when a key is made */
    int64_t now_us;
    /* How to begin a new epoch: asks the writer. */
    int (*new_epoch)(void *user, const char *reason, struct error *err);
    void *user;
};

/** identity_settle(c, ret, err): ${ret} is cleared by the caller, also after an error. */
int identity_settle(const struct identity_config *c, struct identity *ret, struct error *err);
/** identity_rotate(c, i, err): Make the epoch's next key, have the old one sign its object, and use
 * it from the next batch on.  Safe to be killed at any moment: identity_settle finishes or forgets
 * it. */
int identity_rotate(const struct identity_config *c, struct identity *i, struct error *err);
void identity_clear(struct identity *i);
/** identity_machine(ret, size): /etc/machine-id; "" when there is none.  Source: machine-id(5). */
void identity_machine(char *ret, size_t size);

#endif
