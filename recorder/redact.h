/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a terminal may be recorded.  A pure core without descriptors or a clock: keys come in
 * with their time and the pty's modes around their write, output with its time; input that may be
 * recorded, output that may, and marks come out through callbacks.  The detector is the one of
 * docs/REDACTION.md: a key is undecided until the screen has shown it, or its run is over
 * and a rule says what it was.  Output waits for nothing, two cases apart: what shows nothing but
 * the shape of a secret (mask characters), and the echo of a line that was typed ahead.
 *
 * Invariants: typed bytes lie in locked memory alone until they are released, and are wiped when
 * they leave it; of typed text, four characters in a row that the screen did not show are never
 * released but by rules E and K, which say so in a mark; `pending` is called with a time no later
 * than the earliest undecided key before that key is handed to the pty (PITFALLS 33); a mark holds
 * times, never a count or a rhythm; memory is bounded, and time per byte.
 */
#ifndef TTYTRAIL_RECORDER_REDACT_H
#define TTYTRAIL_RECORDER_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "common/err.h"

#define REDACT_NO_PENDING UINT64_MAX
#define REDACT_READER     20U /* bytes of a program's name and its NUL */

struct redact_sink {
    void *user;
    /* Released: may be recorded; borrowed for the call.  Times of input may step back. */
    void (*input)(void *user, uint64_t t_us, const uint8_t *bytes, size_t len);
    /* Of output: may be recorded, in the order of the calls. */
    void (*output)(void *user, uint64_t t_us, const uint8_t *bytes, size_t len);
    /* ${what} happened from ${start_us} to ${end_us}: "redacted WHY", "alert WORD", "silent keys"
     * (docs/FORMAT.md, "Marks"); ${reader}: who read it, "" if that is not known. */
    void (*mark)(void *user, uint64_t start_us, uint64_t end_us, const char *what,
                 const char *reader);
    /* The watermark; ${at_once}: keys follow that it speaks of. */
    void (*pending)(void *user, uint64_t t_us, bool at_once);
    /* Somebody may be reading a secret: who?  "" when that cannot be said. */
    void (*reader)(void *user, char ret[REDACT_READER]);
};

enum redact_policy { REDACT_OFF, REDACT_BALANCED, REDACT_STRICT };

struct redact_config {
    enum redact_policy policy;
    bool blind_redact;           /* rule E redacts instead of raising an alert */
    bool mask_hide;              /* mask characters do not go into the record */
    uint32_t hold_max_kib;       /* undecided input at most */
    uint32_t hold_max_s;         /* ... and for how long */
    uint32_t typeahead_hold_s;   /* rule T waits so long for a prompt; 0: no rule T */
    uint32_t max_no_echo;        /* bytes typed unseen in one region before an alert; 0: none */
    const char *prompt_patterns; /* borrowed during redact_new */
    int rows, cols;
};

/* What the terminal says of itself at some moment. */
struct redact_tty {
    tcflag_t lflag;
    long job;     /* foreground process group, 0 unknown */
    bool foreign; /* ... which is not the session's own first process */
    int unread;   /* bytes of whole lines that nobody has read yet; -1 unknown */
};

struct redact;

/** redact_new(ret, config, sink, err): Owned by the caller; ${sink} is copied. */
int redact_new(struct redact **ret, const struct redact_config *config,
               const struct redact_sink *sink, struct error *err);
/** redact_free(r): Wipe.  NULL does nothing. */
void redact_free(struct redact *r);
/** redact_locked(r): Whether its memory could be locked. */
bool redact_locked(const struct redact *r);

/** redact_space(r, ret), redact_typed(r, n, t_us): Room to read keys into (0: not now), and how
 * many came when. */
size_t redact_space(struct redact *r, uint8_t **ret);
void redact_typed(struct redact *r, size_t n, uint64_t t_us);

/** redact_next(r, ret): The slice to write to the pty next, up to a line's end; 0 when none. */
size_t redact_next(const struct redact *r, const uint8_t **ret);
/** redact_before(r, before): The slice is about to be written to a pty that is so. */
void redact_before(struct redact *r, const struct redact_tty *before);
/** redact_written(r, n, after, now_us): ${n} of its bytes were, and now the pty is so. */
void redact_written(struct redact *r, size_t n, const struct redact_tty *after, uint64_t now_us);

/** redact_wants_tty(r): Whether redact_output and redact_tick need to know the terminal's state;
 * else ${tty} may be NULL. */
bool redact_wants_tty(const struct redact *r);
/** redact_output(r, bytes, len, tty, now_us): A program wrote this; sink.output gets, within the
 * call, what of it may be recorded now. */
void redact_output(struct redact *r, const uint8_t *bytes, size_t len, const struct redact_tty *tty,
                   uint64_t now_us);
void redact_resize(struct redact *r, int rows, int cols);

/** redact_tick(r, tty, now_us): Decide what is due.  Call at redact_deadline(r), which is
 * REDACT_NO_PENDING for never. */
void redact_tick(struct redact *r, const struct redact_tty *tty, uint64_t now_us);
uint64_t redact_deadline(const struct redact *r);
/** redact_screen(r): Which of the terminal's two screens the program is on, as far as is known. */
enum redact_screen { REDACT_SCREEN_UNKNOWN, REDACT_SCREEN_MAIN, REDACT_SCREEN_OTHER };
enum redact_screen redact_screen(struct redact *r);
/** redact_end(r, now_us): The session ends: decide everything. */
void redact_end(struct redact *r, uint64_t now_us);

#endif
