/* SPDX-License-Identifier: Apache-2.0 */
/* What the control*.c files share; no other file includes it. */
#ifndef TTYTRAIL_WIRE_CONTROL_IMPL_H
#define TTYTRAIL_WIRE_CONTROL_IMPL_H

#include <stddef.h>

#include "storage/wire/control.h"

/* A number that the answer may hold; absent it is 0.  A list ends with a name of NULL. */
struct control_wanted {
    const char *name;
    int64_t *value;
};

/** control_ask(c, type, body, len, wanted_or_null, err): One request, one answer. */
int control_ask(struct control *c, uint8_t type, const void *body, size_t len,
                const struct control_wanted *wanted_or_null, struct error *err);

#endif
