/* SPDX-License-Identifier: Apache-2.0 */
/* What `verify` prints: lines, their sum, what to do, how far it is.  Knows of verdicts, not of how
 * they are found. */
#ifndef TTYTRAIL_CLI_VERIFY_SAY_H
#define TTYTRAIL_CLI_VERIFY_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/verify.h"

struct verify_say {
    bool json, quiet;
    enum verify_place place;
    bool bar; /* there is a terminal to draw on */
    /* its own */
    bool drawn;
    const char *remedies[VERIFY_VERDICTS][2]; /* that apply: at most two for one word */
    uint64_t drawn_us;
    size_t orphans;
};

/** verify_say_line, verify_say_progress: Callbacks of struct verify; ${user} is a struct
 * verify_say. */
void verify_say_line(void *user, const struct verify_line *l);
void verify_say_progress(void *user, const struct verify_progress *p);
/** verify_say_clear(s): Take the bar away. */
void verify_say_clear(struct verify_say *s);
/** verify_say_sum(s, sum): The last line, and before it what to do about each kind of
 * finding that was seen. */
void verify_say_sum(struct verify_say *s, const struct verify_sum *sum);

#endif
