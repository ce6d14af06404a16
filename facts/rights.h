/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of root: four capabilities, and no way to more. */
#ifndef TTYTRAIL_FACTS_RIGHTS_H
#define TTYTRAIL_FACTS_RIGHTS_H

#include "common/err.h"

/** rights_drop(err): Keep SYS_PTRACE and DAC_READ_SEARCH (to read), SYS_ADMIN and DAC_OVERRIDE (to
 * hang up and open again), as far as they are there; no_new_privs. */
int rights_drop(struct error *err);

#endif
