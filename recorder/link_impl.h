/* SPDX-License-Identifier: Apache-2.0 */
/* What link.c and link_away.c share; no other file includes it. */
#ifndef TTYTRAIL_RECORDER_LINK_IMPL_H
#define TTYTRAIL_RECORDER_LINK_IMPL_H

#include "recorder/link.h"

#define RECONNECT_MS 2000

/** link_leaves_out(l, kind): Of a session that the policy does not record nothing but its exit goes
 * anywhere. */
bool link_leaves_out(const struct link *l, char kind);
/** link_go_away(l, ring, err): Go on without the writer; with ${ring} into one, -1 when none can be
 * made. */
int link_go_away(struct link *l, bool ring, struct error *err);
/** link_go_without(l, err): The writer stays away: what the policy says.  -1: the session ends. */
int link_go_without(struct link *l, struct error *err);
/** link_note_full(l, err): Look whether the writer's disk is full, or is not any more; -1 as above.
 */
int link_note_full(struct link *l, struct error *err);
/** link_call(l, err): One attempt at the writer: go on with the session, or open it. */
int link_call(struct link *l, struct error *err);
/** link_found(l): It worked. */
void link_found(struct link *l);
/** link_event_away(l, ...): link_event's work while away. */
void link_event_away(struct link *l, char kind, uint64_t t_us, const void *bytes, size_t len);
/** link_tell(l): Tell the user what is still to be told. */
void link_tell(struct link *l);
/** link_tell_lost(l): Tell the user that the writer is lost, once. */
void link_tell_lost(struct link *l);

#endif
