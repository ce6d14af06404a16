/* SPDX-License-Identifier: Apache-2.0 */
/* The object with which `doctor` tries whether this host may store: one a day and host, always the
 * same bytes, below the host's own name.  Layout: docs/FORMAT.md, "Objects of a batch". */
#ifndef TTYTRAIL_SHIPPER_PROBE_H
#define TTYTRAIL_SHIPPER_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_BYTES "ttytrail probe\n"
#define PROBE_SIZE  (sizeof PROBE_BYTES - 1)

/** probe_name(host, now_us, ret, size): "packs/dt=YYYY-MM-DD/host=<host>/probe". */
void probe_name(const char *host, int64_t now_us, char *ret, size_t size);
/** probe_is(name, object_size): Whether a reader may pass over this object: it is no part of a
 * batch, and too small and too plain to be missed. */
bool probe_is(const char *name, uint64_t object_size);

#endif
