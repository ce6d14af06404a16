/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests without segments; docs/FORMAT.md, "Kinds" and "Withheld". */
#include "shipper/batch_kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/utf8.h"
#include "shipper/state_life.h"

int batch_boot(const struct batch_source *src, int64_t now_us, struct error *err)
{
    struct state_identity at;
    struct choice c;
    char now[33], before[33];
    int rc = state_fact(src->state, "boot_id", before, sizeof before, NULL, err);

    if (rc < 0 || state_identity(src->state, &at, err) != 0) {
        return -1;
    }
    clock_boot_id(now);
    if (rc == 0 || at.seq == 0 || strcmp(now, before) == 0) {
        return 0;
    }
    choice_init(&c);
    (void)snprintf(c.m.previous_boot_id, sizeof c.m.previous_boot_id, "%s", before);
    c.m.began_us = clock_unix_us() - (int64_t)clock_boot_us();
    c.m.began_us = c.m.began_us < 0 ? 0 : c.m.began_us;
    rc = batch_freeze_choice(&c, src, "boot", now_us, err);
    choice_clear(&c);
    return rc != 0 ? err_wrap(err, "freeze a boot manifest") : 1;
}

int batch_stop(const struct batch_source *src, int64_t now_us, struct error *err)
{
    struct choice c;
    int rc;

    choice_init(&c);
    rc = batch_freeze_choice(&c, src, "stop", now_us, err);
    choice_clear(&c);
    return rc != 0 ? err_wrap(err, "freeze a stop manifest") : 0;
}

/* What the withheld batch says of itself: its segments move over. */
static int fill(struct manifest_withheld *w, const struct batch_source *src,
                const struct state_batch *b, const char *reason, struct error *err)
{
    struct manifest m;
    int rc = manifest_read(src->json, buf_data(&b->line), b->line.len, &m, err);

    if (rc == 0) {
        rc = manifest_composition(&m, w->composition, err);
    }
    if (rc == 0) {
        w->seq = b->seq;
        memcpy(w->head, m.head, CHAIN_HASH);
        chain_sha256(buf_data(&b->line), b->line.len, w->sha256);
        (void)snprintf(w->reason, sizeof w->reason, "%s", reason);
        w->segments = m.segments;
        w->n_segments = m.n_segments;
        m.segments = NULL;
        m.n_segments = 0;
    }
    manifest_clear(&m);
    return rc;
}

/* It travels as JSON, and its length is bounded in bytes: what would be escaped or replaced is not
 * taken. */
static bool is_text(const char *p)
{
    size_t left = strlen(p), n;

    for (; left > 0; left -= n, p += n) {
        n = utf8_printable((const uint8_t *)p, left);
        if (n == 0) {
            return false;
        }
    }
    return true;
}

int batch_withhold(const struct batch_source *src, const struct state_batch *b, const char *reason,
                   int64_t now_us, struct error *err)
{
    size_t len = strlen(reason);
    struct choice c;
    int rc = state_is_withheld(src->state, b->id, err);

    if (rc < 0) {
        return -1;
    }
    if (rc == 1 || b->done || memcmp(b->epoch, src->identity->epoch, CHAIN_ID) != 0) {
        return err_set(err, ERR_USAGE, "batch %" PRId64 " %s", b->seq,
                       rc == 1   ? "is withheld already"
                       : b->done ? "is stored: it cannot be withheld any more"
                                 : "is of an epoch that is over");
    }
    if (len == 0 || len >= MANIFEST_REASON || !is_text(reason)) {
        return err_set(err, ERR_USAGE, "a reason is one line of text, of 1 to %d bytes",
                       MANIFEST_REASON - 1);
    }
    choice_init(&c);
    rc = fill(&c.m.withheld, src, b, reason, err);
    if (rc == 0) {
        rc = batch_freeze_choice(&c, src, "withheld", now_us, err);
    }
    choice_clear(&c);
    return rc != 0 ? err_wrap(err, "withhold batch %" PRId64, b->seq) : 0;
}
