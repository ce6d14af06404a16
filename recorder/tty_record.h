/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the terminal's relay and its recording: what redaction lets go becomes events, and what
 * redaction asks of the pty is looked up.  Used by tty.c alone.
 */
#ifndef TTYTRAIL_RECORDER_TTY_RECORD_H
#define TTYTRAIL_RECORDER_TTY_RECORD_H

#include "recorder/tty.h"

/** tty_record_open(t, err): Set up ${t}'s redaction by its link's policy. */
int tty_record_open(struct tty *t, struct error *err);
/** tty_record_state(t, ret): The pty as it is now; nothing where nothing is judged. */
void tty_record_state(struct tty *t, struct redact_tty *ret);
/** tty_record_output(t, bytes, len): Record what was read from the pty; returns the number to wait
 * for before it is shown, as link_output does. */
uint64_t tty_record_output(struct tty *t, const uint8_t *bytes, size_t len);
/** tty_record_tick(t): Decide what is due.  Call at tty_record_deadline(t), session time;
 * UINT64_MAX for never. */
void tty_record_tick(struct tty *t);
uint64_t tty_record_deadline(const struct tty *t);
/** tty_record_end(t): Decide everything.  tty_record_close(t): Wipe; accepts a half-built one. */
void tty_record_end(struct tty *t);
void tty_record_close(struct tty *t);

#endif
