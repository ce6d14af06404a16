/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the keyboard may be recorded.  A pure core: keys come in with their time, go to the pty
 * in slices, each slice is judged by the pty's modes read just before and just after its write, and
 * what is decided comes out through callbacks, as input or as one mark.  Here is rule A
 * (redaction/README.md): a slice written while the pty was canonical without echo, before or after,
 * is never recorded.  Input may wait, with the time of its keys, while output goes on: the other
 * rules come in at the same place. Knows nothing of descriptors, clocks or the writer.
 *
 * Invariants: typed bytes live in the arena alone until they are released, and are wiped when they
 * leave it; `pending` is called with the time of the earliest undecided key before that key is
 * handed to the pty, as far as the modes before the write tell (PITFALLS 33), and with
 * REDACT_NO_PENDING once all is decided; a mark holds times, never a count or a rhythm.
 */
#ifndef TTYTRAIL_RECORDER_REDACT_H
#define TTYTRAIL_RECORDER_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "common/err.h"
#include "recorder/arena.h"

#define REDACT_NO_PENDING UINT64_MAX
#define REDACT_READS      32U /* times of keys kept apart; beyond, later keys get an earlier time */

struct redact_sink {
    void *user;
    /* Released: may be recorded; borrowed for the call. */
    void (*input)(void *user, uint64_t t_us, const uint8_t *bytes, size_t len);
    /* A run was redacted: from its first key to its end. */
    void (*mark)(void *user, uint64_t start_us, uint64_t end_us, const char *why);
    void (*pending)(void *user, uint64_t t_us);
};

struct redact {
    struct redact_sink sink;
    bool enabled;
    uint64_t hold_max_us;
    struct arena arena;
    struct {
        uint64_t t_us;
        size_t len;
    } reads[REDACT_READS];
    unsigned first, count;
    bool running;        /* in a redacted run */
    bool marked;         /* ... whose mark was already given, by hold_max */
    uint64_t run_us;     /* its first key */
    uint64_t pending_us; /* as last told */
};

/** redact_open(r, enabled, hold_max_s, sink, err): ${enabled} false releases everything. */
int redact_open(struct redact *r, bool enabled, uint32_t hold_max_s, const struct redact_sink *sink,
                struct error *err);
/** redact_close(r): Wipe; an unopened (zeroed) ${r} is accepted. */
void redact_close(struct redact *r);

/** redact_space(r, ret), redact_typed(r, n, t_us): Room to read keys into, and how many came when.
 */
size_t redact_space(struct redact *r, uint8_t **ret);
void redact_typed(struct redact *r, size_t n, uint64_t t_us);

/** redact_next(r, ret): The slice to write to the pty next, up to a line's end; 0 when none. */
size_t redact_next(const struct redact *r, const uint8_t **ret);
/** redact_before(r, lflag): The slice is about to be written under the modes ${lflag}. */
void redact_before(struct redact *r, tcflag_t lflag);
/** redact_written(r, n, before, after): ${n} of its bytes were; decide on them. */
void redact_written(struct redact *r, size_t n, tcflag_t before, tcflag_t after);
/** redact_tick(r, now_us): Decide what has waited for too long.  Call at redact_deadline(r). */
void redact_tick(struct redact *r, uint64_t now_us);
/** redact_deadline(r): When redact_tick has work to do; REDACT_NO_PENDING for never. */
uint64_t redact_deadline(const struct redact *r);
/** redact_end(r, now_us): The session ends: decide everything. */
void redact_end(struct redact *r, uint64_t now_us);

#endif
