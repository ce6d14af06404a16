/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key objects: one line of JSON that says which public key signs a host's manifests in an epoch,
 * signed by that key and, where there was one before it, by that one as well.  Pure: bytes in,
 * bytes out. Layout: docs/FORMAT.md, "Key object".
 */
#ifndef TTYTRAIL_SHIPPER_KEYOBJECT_H
#define TTYTRAIL_SHIPPER_KEYOBJECT_H

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "shipper/key.h"

#define KEYOBJECT_DOMAIN "ttytrail key 1\n"
#define KEYOBJECT_MAX    16384U
#define KEYOBJECT_HOST   129

struct keyobject {
    char host[KEYOBJECT_HOST];
    uint8_t epoch[KEY_EPOCH];
    int64_t number;
    uint8_t public_key[KEY_PUBLIC];
    bool chained; /* names a key before it, whose signature it carries */
    uint8_t previous_key[KEY_PUBLIC];
    bool previous_ok;    /* that signature holds */
    int64_t from_seq;    /* the first batch that this key signs */
    bool previous_known; /* previous_epoch and previous_number are set */
    uint8_t previous_epoch[KEY_EPOCH];
    int64_t previous_number;
    char instance[33]; /* "" for none */
};

/* What a key object says beside its key. */
struct keyobject_about {
    const char *host, *why;
    int64_t from_seq;
    const struct buf *document, *rsa2048; /* of the instance; NULL: none */
};

/** keyobject_name(host, epoch, number, ret, size): keys/host=<host>/<epoch>-<number>.json */
void keyobject_name(const char *host, const uint8_t epoch[KEY_EPOCH], int64_t number, char *ret,
                    size_t size);
/** keyobject_write(out, host, why, key, previous_or_null, err): Append the line. ${why}: why the
 * epoch began. */
int keyobject_write(struct buf *out, const char *host, const char *why, const struct key *key,
                    const struct key *previous_or_null, struct error *err);
/** keyobject_put(out, about, key, previous_or_null, err): The same, with all that there is to say;
 * keyobject_write says that it signs from 1 on, on no instance that AWS vouches for. */
int keyobject_put(struct buf *out, const struct keyobject_about *about, const struct key *key,
                  const struct key *previous_or_null, struct error *err);
/** keyobject_read(j, line, len, ret, err): Parse and check its own signature; CORRUPT when it is
 * none. */
int keyobject_read(struct json *j, const uint8_t *line, size_t len, struct keyobject *ret,
                   struct error *err);

#endif
