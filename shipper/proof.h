/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verified store holds, for those who go on from there (import, the fleet's correlation):
 * lines of manifests and bytes of segments, each of them the very one that was signed.  Used from
 * verify's `then` alone.  Knows nothing of what is in a session.
 */
#ifndef TTYTRAIL_SHIPPER_PROOF_H
#define TTYTRAIL_SHIPPER_PROOF_H

#include "shipper/verify_store.h"

struct proof {
    struct verify_store *vs;
    struct verify_worker w; /* w.line: of proof_line */
    struct buf bytes;       /* of proof_segment */
};

/** proof_open(p, vs, err): ${vs} is borrowed; proof_close accepts a zeroed one. */
int proof_open(struct proof *p, struct verify_store *vs, struct error *err);
void proof_close(struct proof *p);

/** proof_line(p, b, err): The line of ${b} once more into p->w.line; CORRUPT when it is not what
 * was believed. */
int proof_line(struct proof *p, const struct verify_batch *b, struct error *err);
/** proof_segment(p, s, err): The bytes of ${s} into p->bytes: 1; 0 when no copy of its pack has
 * them; -1 when the store cannot go on. */
int proof_segment(struct proof *p, const struct verify_segment *s, struct error *err);
/** proof_leads(head, s): Whether ${s} is what comes next in its session's chain, of which ${head}
 * is the head so far; if so that goes on.  Anybody who may write below a path of his own can lay a
 * copy of another's session there. */
bool proof_leads(uint8_t head[CHAIN_HASH], const struct verify_segment *s);

#endif
