/* SPDX-License-Identifier: Apache-2.0 */
/* What identity.c and identity_rotate.c share; no other file includes it. */
#ifndef TTYTRAIL_SHIPPER_IDENTITY_KEY_H
#define TTYTRAIL_SHIPPER_IDENTITY_KEY_H

#include "shipper/identity.h"
#include "shipper/keyobject.h"

/** identity_new_key(c, epoch, number, ret, err): A key bound to this machine and instance. */
int identity_new_key(const struct identity_config *c, const uint8_t epoch[CHAIN_ID], int64_t number,
                     struct key **ret, struct error *err);
/** identity_take_key(c, host, why, from_seq, key, previous_or_null, err): Its file, and its object
 * into ship.db, vouched for by the one before: from now on it is the key. */
int identity_take_key(const struct identity_config *c, const char *host, const char *why,
                      int64_t from_seq, const struct key *key, const struct key *previous_or_null,
                      struct error *err);
/** identity_finish_rotation(c, at, key, err): A rotation that was killed: take the next key where
 * ship.db says that it signs, else forget it.  *key (NULL: there is none) may be replaced. */
int identity_finish_rotation(const struct identity_config *c, const struct state_identity *at,
                             struct key **key, struct error *err);

#endif
