/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redaction's inside, shared by redact*.c alone: redact.c is the contract, redact_keys.c makes keys
 * of bytes, redact_echo.c holds what is printed against them, redact_rules.c says what a run was,
 * redact_release.c when and lets go, redact_output.c what of output is kept back, redact_cells.c
 * compares screens for it, and redact_move.c judges movements.
 */
#ifndef TTYTRAIL_RECORDER_REDACT_IMPL_H
#define TTYTRAIL_RECORDER_REDACT_IMPL_H

#include "recorder/history.h"
#include "recorder/prompt.h"
#include "recorder/redact.h"
#include "recorder/secrets.h"
#include "recorder/typed.h"
#include "recorder/unit.h"
#include "recorder/view.h"
#include "recorder/withhold.h"

#define REDACT_MS      1000U
#define REDACT_S       1000000U
#define REDACT_FIFO    16384U /* keys that were read and not written yet */
#define REDACT_READS   32U    /* times of keys kept apart; beyond, later keys get an earlier time */
#define REDACT_MATCHED 64U    /* keys that a printed character is held against */

struct redact_read {
    uint64_t t_us;
    size_t len;
};

struct redact {
    struct redact_config config;
    struct redact_sink sink;
    struct secrets secrets;
    struct view view;
    struct prompt prompt;
    struct typed typed;
    struct history history;
    struct withhold withhold;

    /* read, not written */
    uint8_t *fifo;
    size_t fifo_off, fifo_len;
    struct redact_read reads[REDACT_READS];
    unsigned first_read, n_reads;
    struct redact_tty before; /* the pty just before the slice that is being written */

    /* the beginning of a key whose rest has not come */
    uint8_t *partial;
    size_t partial_len;
    uint64_t partial_us;
    enum typed_class partial_class;
    bool partial_isig;
    bool in_paste;

    /* the run that new keys join */
    bool bound;                  /* ... is over: the next key begins a new one */
    enum typed_class last_class; /* of the newest key */
    bool editor_fresh;           /* bracketed paste was switched on since the last line's end */
    uint32_t line_before;        /* silent keys of this line that were decided already */
    bool line_joined;            /* ... by redaction */
    uint64_t last_key_us;

    /* the clock of echoes (RFC 6298's estimators) */
    uint64_t srtt_us, rttvar_us;

    /* the oldest run's end */
    uint64_t end_us;     /* when it was typed; 0: not yet */
    uint32_t end_run;    /* ... of which run */
    uint64_t newline_us; /* when a new line was shown after that; 0: not yet */
    uint64_t last_out_us;
    bool deaf;   /* as many keys as may wait were taken by somebody who shows nothing */
    bool ending; /* nothing follows: whatever waits is decided */

    /* while output is being looked at */
    uint64_t now_us;
    struct typed_key *un[REDACT_MATCHED]; /* not echoed yet, oldest first */
    unsigned n_un;
    uint64_t last_hit_us; /* when a key was last seen echoed */
    bool hit, masked;     /* what the last printed character was to them */
    bool hit_mask;        /* ... an echo that may as well be a mask */
    bool hit_ahead;       /* an echo of a line typed ahead */
    uint32_t masked_run;  /* whose key it stands for */
    int64_t print_row;    /* where it stands */
    int print_col, print_width;
    uint8_t *units; /* what redact_output.c takes apart, and the part of a unit at its end */
    size_t units_partial;
    uint32_t *cells; /* the screen before it */
    size_t cells_size;
    uint64_t snapshot;    /* of the screen, while ... */
    uint64_t snapshot_of; /* ... the view's generation is this */

    /* where masks of a secret that is decided may still come */
    uint64_t late_us; /* until then; 0: none are awaited */
    struct typed_place late;

    /* rule T */
    long reads_lines;    /* the job that is known to read its lines at once */
    uint64_t read_us;    /* when the line that was typed ahead had been read; 0: not yet */
    uint32_t line[1024]; /* what was printed on the newest line meanwhile, echoes apart */
    size_t line_len;
    bool asked;                    /* a line that asks was printed, and ended */
    bool ahead_echo, ahead_erases; /* its echo has begun; the newest unit of it goes back */

    /* what is told */
    uint64_t pending_us;           /* as last told */
    uint64_t silent_us;            /* first of the silent keys that rule K let go in a row */
    uint32_t silent;               /* ... their number */
    uint32_t unseen, unseen_lines; /* bytes, lines redacted in a row */
    uint64_t unseen_us;            /* since when */
    bool alerted;                  /* ... and told */
};

/** redact_keys_typed(r, bytes, len, class, isig, t_us): What was written to the pty becomes keys.
 */
void redact_keys_typed(struct redact *r, const uint8_t *bytes, size_t len, enum typed_class class,
                       bool isig, uint64_t t_us);
/** redact_keys_partial(r): Wait no longer for the rest of a key.  Due at redact_keys_due(r). */
void redact_keys_partial(struct redact *r);
uint64_t redact_keys_due(const struct redact *r);
/** redact_keys_text(r, text): The text that may be a prompt; its length, at most PROMPT_TEXT. */
size_t redact_keys_text(const struct redact *r, uint32_t text[PROMPT_TEXT]);

/** redact_echo_begin(r): Before output is fed: which keys wait for an echo. */
void redact_echo_begin(struct redact *r);
/** redact_echo_event(user, event): The view's listener. */
void redact_echo_event(void *user, const struct screen_event *event);
/** redact_echo_judge(r, k): Whether ${k} changed anything on the screen. */
void redact_echo_judge(struct redact *r, struct typed_key *k);
uint64_t redact_echo_snapshot(struct redact *r);
/** redact_echo_window(r): How long an echo may take. */
uint64_t redact_echo_window(const struct redact *r);

enum redact_verdict_kind { REDACT_RELEASE, REDACT_KEYS, REDACT_BLIND, REDACT_HIDE };

struct redact_verdict {
    enum redact_verdict_kind kind;
    const char *why; /* of HIDE */
    bool whole;      /* ... and nothing of the run is released but what ends it */
    bool masked;     /* ... masks were shown in the place of what is hidden */
    uint32_t silent; /* printable keys that were not echoed */
};

/** redact_rules_judge(r, n, held_too_long, ret): The ${n} oldest keys, which are one run: sets
 * their `redacted`. */
void redact_rules_judge(struct redact *r, uint32_t n, bool held_too_long,
                        struct redact_verdict *ret);
/** redact_rules_seen(r, n): Whether all of them were printed after all, wherever it was. */
bool redact_rules_seen(struct redact *r, uint32_t n);

/** redact_release_echoed(r): Let go of what the screen has shown. */
void redact_release_echoed(struct redact *r);
/** redact_release_due(r): When the oldest run has to be decided, come what may. */
uint64_t redact_release_due(const struct redact *r);
/** redact_release_decide(r, now_us): Decide the oldest run. */
void redact_release_decide(struct redact *r, uint64_t now_us);

/** redact_ahead_look(r, tty, now_us): Rule T: has somebody read the line, or asked for a secret? */
void redact_ahead_look(struct redact *r, const struct redact_tty *tty, uint64_t now_us);
/** redact_ahead_printed(r, ch): ${ch}, '\n' for a new row, was printed while a line waits. */
void redact_ahead_printed(struct redact *r, uint32_t ch);
/** redact_ahead_waits(r): Whether the oldest run was typed ahead. */
bool redact_ahead_waits(const struct redact *r);
/** redact_ahead_due(r): When it has waited long enough. */
uint64_t redact_ahead_due(const struct redact *r);
/** redact_ahead_suspect(r): Somebody asks for a secret. */
void redact_ahead_suspect(struct redact *r);
/** redact_ahead_settle(r, now_us): It, the oldest, was an ordinary line; the next may be an answer
 * to what is asked next. */
void redact_ahead_settle(struct redact *r, uint64_t now_us);

/** redact_ahead_ends(r, u): Whether ${u}, a line's end, is the echo of one that was typed ahead. */
bool redact_ahead_ends(struct redact *r, const struct unit *u);
/** redact_ahead_erases(r, u): Whether ${u} is what the kernel echoes for an erased character of it:
 * back, blank, back; or for a tab. */
bool redact_ahead_erases(struct redact *r, const struct unit *u);
/** redact_ahead_edited(r): It holds more than characters and erasures: where its echo stands is not
 * known, so all of its row is taken for it, up to its end. */
bool redact_ahead_edited(const struct redact *r);

/** redact_output_watching(r): Whether output has to be looked at.  redact_output_watched does. */
bool redact_output_watching(const struct redact *r);
void redact_output_watched(struct redact *r, const uint8_t *bytes, size_t len,
                           const struct redact_tty *tty);
/** redact_output_tick(r): Wait no longer for the rest of a unit.  Due at redact_output_due(r). */
void redact_output_tick(struct redact *r);
uint64_t redact_output_due(const struct redact *r);
/** redact_output_end(r): Nothing follows: hand on what waited. */
void redact_output_end(struct redact *r);
/** redact_output_late(r, k, now_us): ${k} began a secret of which nothing was seen yet: its masks
 * may come later than the decision, and are withheld too. */
void redact_output_late(struct redact *r, const struct typed_key *k, uint64_t now_us);
/** redact_output_span(r, run): Masks of ${run} begin, or go on: those of an earlier one are over.
 */
void redact_output_span(struct redact *r, uint32_t run);
/** redact_output_settle(r, run, secret, now_us): What was withheld for ${run} goes, or comes. */
void redact_output_settle(struct redact *r, uint32_t run, bool secret, uint64_t now_us);

/* What becomes of a unit of output: it goes on; it is withheld as a mask, or as the echo of a line
 * typed ahead; it goes on as a movement to where the masks begin, or to where the cursor went. */
enum redact_action { REDACT_RECORD, REDACT_MASK, REDACT_AHEAD, REDACT_TO_SPAN, REDACT_TO_CURSOR };

/** redact_move_judge(r, u, from, to): ${u} moved the cursor, or erased something. */
enum redact_action redact_move_judge(const struct redact *r, const struct unit *u,
                                     struct typed_place from, struct typed_place to);

/** redact_cells_save(r): Remember what stands on the screen; false when that cannot be. */
bool redact_cells_save(struct redact *r);
/** redact_cells_only_masks(r): Whether it changed since within the span of masks alone: a whole
 * line redrawn with one mask more. */
bool redact_cells_only_masks(const struct redact *r);
/** redact_cells_frame(r): Whether nothing changed at all, or nothing but that masks of a known kind
 * came or went, which then are the span: a frame drawn anew for a key, its field somewhere in it.
 */
bool redact_cells_frame(struct redact *r);
/** redact_cells_only_draws(bytes, len): Whether whole units of output do no more than draw, move,
 * erase, colour, ring, show and hide the cursor: where that changes nothing it may be left out;
 * what switches modes or sets titles may not. */
bool redact_cells_only_draws(const uint8_t *bytes, size_t len);

#endif
