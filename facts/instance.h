/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance's identity document and its signatures, from the metadata service, asked for once in
 * a thread of its own: whoever asks is answered at once, with what is there.
 */
#ifndef TTYTRAIL_FACTS_INSTANCE_H
#define TTYTRAIL_FACTS_INSTANCE_H

#include "common/buf.h"
#include "common/err.h"

/** instance_facts(out, err): `document`, `rsa2048` and `pkcs7` as facts.  RETRY while the service
 * is being asked, or when it did not answer (it is asked again after a minute). */
int instance_facts(struct buf *out, struct error *err);

#endif
