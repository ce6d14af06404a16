/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a terminal at which nothing happens: `on_idle`.  All that is written here goes to
 * the outer terminal alone, never into the record; what is recorded are marks.  Used by tty.c and
 * relay.c.
 */
#ifndef TTYTRAIL_RECORDER_TTY_IDLE_H
#define TTYTRAIL_RECORDER_TTY_IDLE_H

#include "recorder/tty.h"

void tty_idle_open(struct tty *t);
/** tty_idle_tick(t): Warn, lock, or set ${t}->idle_ended, if it is time. */
void tty_idle_tick(struct tty *t);
/** tty_idle_keys(t): Keys for a locked terminal: nobody else gets them. */
void tty_idle_keys(struct tty *t);
/** tty_idle_unlock(t): Show again; does nothing if it is not locked. */
void tty_idle_unlock(struct tty *t);
/** tty_idle_bye(t): Say why it ended. */
void tty_idle_bye(struct tty *t);

#endif
