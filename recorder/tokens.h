/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last piece of road of what is recorded: access tokens of one track (shapes.h) are hidden on
 * its way to the link, and a mark tells their kind.  Knows the link, nothing of terminals or pipes.
 * Invariant: what is withheld waits TOKENS_WAIT_US at most behind the newest byte.
 */
#ifndef TTYTRAIL_RECORDER_TOKENS_H
#define TTYTRAIL_RECORDER_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/link.h"
#include "recorder/secrets.h"
#include "recorder/shapes.h"

#define TOKENS_WAIT_US 2000000U

struct tokens {
    struct shapes *shapes; /* in locked memory; NULL before the first byte */
    struct secrets secrets;
    struct link *link; /* borrowed */
    char kind;         /* 'i', 'o', 'e' */
    bool on;
    unsigned cols;         /* of the terminal; 0: none */
    uint64_t t_us, put_us; /* of the newest event; when it came */
    uint64_t seq;          /* of the newest event that was sent within a call */
};

/** tokens_open(t, link, kind, on): ${on} false passes everything. */
void tokens_open(struct tokens *t, struct link *link, char kind, bool on);
/** tokens_resize(t, cols): Where the terminal's rows end. */
void tokens_resize(struct tokens *t, unsigned cols);
/** tokens_close(t): Wipe; a zeroed one is accepted. */
void tokens_close(struct tokens *t);
/** tokens_put(t, t_us, bytes, len): Record; returns the number that has to be committed before the
 * bytes may be shown, as link_output does; 0 for input and when all was withheld. */
uint64_t tokens_put(struct tokens *t, uint64_t t_us, const uint8_t *bytes, size_t len);
/** tokens_tick(t, now_us), tokens_deadline(t): Wait no longer; times are of the session. */
void tokens_tick(struct tokens *t, uint64_t now_us);
uint64_t tokens_deadline(const struct tokens *t);
/** tokens_flush(t): Nothing follows, or not at once. */
void tokens_flush(struct tokens *t);

#endif
