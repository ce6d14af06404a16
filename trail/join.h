/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who opened it: a subject and the events of the trail to a verdict, by the rules of docs/DESIGN.md
 * section 12, in their order.  Pure but for the events it asks for: no clock, no file.
 */
#ifndef TTYTRAIL_TRAIL_JOIN_H
#define TTYTRAIL_TRAIL_JOIN_H

#include <stdbool.h>

#include "common/err.h"
#include "trail/chain.h"
#include "trail/subject.h"
#include "trail/verdict.h"

#define JOIN_KEY_LIFE_US INT64_C(60000000)   /* of a pushed key, and of a tunnel's opening */
#define JOIN_SERIAL_US   INT64_C(3600000000) /* of a serial console */
#define JOIN_LATE_US     INT64_C(900000000)  /* how late the trail's files may come */

struct join_config {
    int64_t skew_us;
    int64_t read_us; /* the trail was read up to here; 0: not at all */
    bool digested;   /* it has digests: a file outside their chain proves nothing */
    int64_t now_us;
    /* NULL: none known.  The owner of a key ("SHA256:..."), and the verdict of another connection
     * (hex): true and *ret. */
    bool (*owner)(void *user, const char *fingerprint, char *ret, size_t size);
    bool (*verdict)(void *user, const char *subject, struct verdict *ret);
    void *user;
};

/** join(c, from, s, ret, err): Everything of *ret but its revision. */
int join(const struct join_config *c, const struct trail_events *from, const struct subject *s,
         struct verdict *ret, struct error *err);

/** join_fingerprint(key, ret): "SHA256:..." of "ssh-ed25519 AAAA..."; "" when that is no key. */
void join_fingerprint(const char *key, char ret[52]);

#endif
