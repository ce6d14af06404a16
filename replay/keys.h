/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the player: bytes of a terminal in, wishes out.  All the players' habits at once
 * (asciinema, sudoreplay, tlog-play, ttyplay).  Pure.  Escape sequences (arrow keys, answers of a
 * terminal) are no keys yet and are swallowed.
 */
#ifndef TTYTRAIL_REPLAY_KEYS_H
#define TTYTRAIL_REPLAY_KEYS_H

#include <stdint.h>

enum key {
    KEY_NONE,
    KEY_PAUSE,   /* blank: pause, go on */
    KEY_STEP,    /* .  show the next event and stand still */
    KEY_SKIP,    /* Enter: do not wait for the next event */
    KEY_FASTER,  /* + } > */
    KEY_SLOWER,  /* - { < */
    KEY_NORMAL,  /* Backspace: the speed it began with */
    KEY_SUSPEND, /* ^Z */
    KEY_QUIT     /* q ^C */
};

struct keys {
    enum { KEYS_PLAIN, KEYS_ESCAPE, KEYS_SEQUENCE, KEYS_SS3 } state;
};

/** keys_byte(k, c): What the byte ${c} means after those before it (all zero at first). */
enum key keys_byte(struct keys *k, uint8_t c);

#endif
