/* SPDX-License-Identifier: Apache-2.0 */
/* What batch.c and batch_kind.c share; no other file includes it. */
#ifndef TTYTRAIL_SHIPPER_BATCH_KIND_H
#define TTYTRAIL_SHIPPER_BATCH_KIND_H

#include "shipper/batch_choose.h"

/** batch_freeze_choice(c, src, kind, now_us, err): Number, head, manifest, signature
 * and ship.db, in one. */
int batch_freeze_choice(struct choice *c, const struct batch_source *src, const char *kind,
                        int64_t now_us, struct error *err);

#endif
