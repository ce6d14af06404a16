/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy: what the writer tells a recorder at a session's opening, taken from the
 * configuration, which the recorder never reads itself.  A value type; on the wire it is facts.
 */
#ifndef TTYTRAIL_WIRE_POLICY_H
#define TTYTRAIL_WIRE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/wire/facts.h"

enum policy_loss { POLICY_LOSS_BLOCK, POLICY_LOSS_END, POLICY_LOSS_CONTINUE };
enum policy_blind { POLICY_BLIND_ALERT, POLICY_BLIND_REDACT };
enum policy_full { POLICY_FULL_RING, POLICY_FULL_END, POLICY_FULL_CONTINUE };
enum policy_idle { POLICY_IDLE_OFF, POLICY_IDLE_WARN, POLICY_IDLE_LOCK, POLICY_IDLE_END };
enum policy_redact { POLICY_REDACT_STRICT, POLICY_REDACT_BALANCED, POLICY_REDACT_OFF };

struct policy {
    bool commit_first; /* else `batch`: show at once, commit within commit_ms */
    uint32_t commit_ms;
    bool input;          /* record the input track */
    bool stream_input;   /* record stdin's content without a terminal */
    uint32_t stream_kib; /* kept at each end of a burst without a terminal */
    enum policy_loss on_writer_loss;
    uint32_t writer_timeout_s;
    enum policy_redact redact;
    uint32_t hold_max_kib, hold_max_s;
    enum policy_blind blind; /* what becomes of lines that a line editor does not echo */
    bool mask_hide;          /* mask characters are left out of the recorded output */
    uint32_t typeahead_hold_s;
    bool tokens;          /* access tokens are replaced in what is recorded */
    uint32_t max_no_echo; /* bytes typed unseen in one region before an alert; 0: none */
    enum policy_full on_disk_full;
    uint32_t ring_kib; /* of both halves together */
    enum policy_idle on_idle;
    uint32_t idle_s;
    uint32_t max_depth;         /* recorders among a recorder's ancestors */
    bool record;                /* false: run the shell without recording it */
    bool break_glass;           /* this user is let in whatever happens, into the ring */
    char shell[256];            /* the real one, where the link's name says none; "" for none */
    char prompt_patterns[1024]; /* one POSIX extended regular expression */
    char notice[512];           /* shown to the user before the session; "" for none */
};

/** policy_defaults(p): The built-in policy (docs/DESIGN.md section 10). */
void policy_defaults(struct policy *p);
int policy_put(struct buf *out, const struct policy *p, struct error *err);
/** policy_from(p, f): What ${f} holds over the defaults; unknown facts are ignored. */
void policy_from(struct policy *p, const struct facts *f);

#endif
