/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that are not decided yet, in order: what was typed, under which modes, and what the screen
 * has said of each since.  A queue in locked memory; knows nothing of rules or of screens.
 *
 * Invariants: a key's bytes lie here from typed_push until typed_drop, which wipes them; keys of
 * one run stand together; never more than TYPED_KEYS keys, TYPED_RUNS runs or the bytes asked for.
 */
#ifndef TTYTRAIL_RECORDER_TYPED_H
#define TTYTRAIL_RECORDER_TYPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/secrets.h"
#include "recorder/unit.h"

#define TYPED_KEYS 4096U
#define TYPED_RUNS 512U

/* The modes of the pty while a key was handed to it (docs/REDACTION.md): canonical without
 * echo before or after; canonical with echo before and after; raw before a whole line and silent
 * after it, so that a line editor may have read it, or a silent reader; anything else. */
enum typed_class { TYPED_RAW, TYPED_ECHOED, TYPED_SILENT, TYPED_TURNED };

enum typed_dead { TYPED_UNKNOWN, TYPED_ALIVE, TYPED_DEAD };

/* Keys up to a line's end or a change of who reads them. */
struct typed_run {
    uint32_t keys;    /* printable ones so far */
    uint32_t before;  /* silent ones of the same line that were decided earlier */
    bool joined;      /* ... and redacted: what follows needs no mark of its own */
    bool prompt;      /* the text at its first key asks for a secret */
    bool full_screen; /* on the alternate screen */
    bool editor;      /* a line editor has switched bracketed paste on for this line */
    bool ahead;       /* rule T: typed into a line-mode terminal that nobody reads yet */
    bool suspect;     /* ... and then somebody asked for a secret */
    bool answer;      /* ... behind what reads like a question */
    bool visible;     /* its keys are echoed: each is released at its echo */
    bool echoed;      /* one of them was, be it by accident */
    bool plain;       /* ... one that is no mask character */
    bool masked;      /* something else was shown in the place of one */
    bool crowded;     /* typed while lines before it were undecided: whose is a new line? */
    bool named;       /* its reader was asked for: */
    char reader[20];
    uint64_t first_us;
    uint64_t looked; /* generation of the screen that was looked at for a prompt */
    uint64_t below;  /* what is printed from there on stands below its ended line; 0 unknown */
};

struct typed_place {
    int64_t row; /* from the beginning, scrolled ones included */
    int32_t col;
};

struct typed_key {
    uint64_t t_us;
    uint64_t snapshot; /* of the screen just before it */
    uint64_t printed;  /* how much had been printed then, as history.h counts */
    int64_t absrow;    /* the cursor then */
    int32_t col;
    int32_t ahead;    /* columns of keys before it that were not echoed yet */
    int32_t echo_col; /* where it was echoed */
    int64_t echo_row;
    uint32_t ch;   /* its character, where kind is UNIT_PRINT */
    uint32_t mask; /* what was printed in its place, 0 for nothing */
    uint32_t run;  /* number of its run */
    uint16_t len;  /* of its bytes */
    uint8_t width;
    uint8_t kind;  /* enum unit_kind */
    uint8_t class; /* enum typed_class */
    uint8_t dead;  /* enum typed_dead: the screen was the same when the next key came, but for a
                      cursor that moved over blanks */
    bool echoed;
    bool doubtful;      /* ... perhaps by accident */
    bool after_control; /* a key that is no character is queued before it: a backspace, say */
    bool ends;          /* a line's end, or what ends one */
    bool redacted;
};

struct typed {
    struct secrets *secrets; /* borrowed */
    struct typed_key *keys;  /* rings, allocated at the first push */
    struct typed_run *runs;
    uint8_t *bytes; /* contiguous: [off, off + len) */
    size_t off, len, max_bytes;
    uint32_t first, count;
    uint32_t first_run, next_run; /* runs [first_run, next_run) are kept */
};

void typed_open(struct typed *q, struct secrets *secrets, size_t max_bytes);
/** typed_close(q): Wipe.  Accepts a zeroed ${q}. */
void typed_close(struct typed *q);

/** typed_full(q): No further key may be pushed before one is dropped. */
bool typed_full(const struct typed *q);
/** typed_begin_run(q): A new, zeroed run, which the next keys belong to (the newest one as it is,
 * when there are TYPED_RUNS); NULL without memory. */
struct typed_run *typed_begin_run(struct typed *q);
/** typed_push(q, key, bytes): At the end, in the newest run; ${key} with its len set and ${bytes}
 * copied.  Returns the key in the queue, NULL when full or without memory. */
struct typed_key *typed_push(struct typed *q, const struct typed_key *key, const uint8_t *bytes);

/** typed_at(q, i): Key ${i} of ${q}->count, 0 being the oldest. */
struct typed_key *typed_at(const struct typed *q, uint32_t i);
struct typed_run *typed_run_of(const struct typed *q, const struct typed_key *key);
/** typed_run_length(q): Keys of the oldest run that are queued. */
uint32_t typed_run_length(const struct typed *q);
/** typed_bytes(q): Bytes of the oldest key; those of the next one follow. */
const uint8_t *typed_bytes(const struct typed *q);
/** typed_follows(q, i, j): Key ${j} is the next printable one after ${i}, both echoed: whether one
 * echo stands behind the other, as those of a text do and accidents do not. */
bool typed_follows(const struct typed *q, uint32_t i, uint32_t j);
/** typed_drop(q, n): Forget the ${n} oldest keys. */
void typed_drop(struct typed *q, uint32_t n);

#endif
