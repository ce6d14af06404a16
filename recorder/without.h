/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login whose session no writer opens: which policy holds then, and what it says (docs/DESIGN.md
 * section 11).  Used by recorder.c alone, before the child's first instruction.
 */
#ifndef TTYTRAIL_RECORDER_WITHOUT_H
#define TTYTRAIL_RECORDER_WITHOUT_H

#include <stdbool.h>

#include "common/err.h"
#include "recorder/link.h"
#include "recorder/signals.h"

struct without {
    struct link_means means;
    struct client *client; /* borrowed */
    int outer;             /* the user's terminal; -1 */
    enum link_way way;
    bool full;
    char why[160];
};

/** without_published(facts, policy): What the writer has published for a session of these facts;
 * false: nothing that can be believed. */
bool without_published(const struct buf *facts, struct policy *policy);
/** without_begin(w, client, outer, facts, ring_dir): Everything borrowed. */
void without_begin(struct without *w, struct client *client, int outer, const struct buf *facts,
                   const char *ring_dir);
/** without_open(w, signals, policy, ret_lost, why, err): The session was not opened for ${why}.
 * 0: go on, by w->way, or, *ret_lost false, with a session that was opened after all (`block`);
 * ${policy} is the one that holds.  -1: no recording, no session. */
int without_open(struct without *w, const struct signals *signals, struct policy *policy,
                 bool *ret_lost, const struct error *why, struct error *err);

#endif
