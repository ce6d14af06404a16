/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a text on the screen asks for a secret: words of some thirty languages, and the
 * administrator's own patterns.  Pure.  It decides nothing alone: a text that asks, and keys that
 * nothing echoes, are redacted together (rules C and T).
 */
#ifndef TTYTRAIL_RECORDER_PROMPT_H
#define TTYTRAIL_RECORDER_PROMPT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROMPT_TEXT 2048U /* characters of a text that are looked at: its last ones */

struct prompt {
    regex_t own;
    bool has_own;
};

/** prompt_open(p, patterns): ${patterns}, borrowed: POSIX extended regular expressions joined by
 * `|` ("" for none); what regcomp(3) refuses is left out, since the writer has checked it.
 * prompt_close accepts a zeroed ${p}. */
void prompt_open(struct prompt *p, const char *patterns);
void prompt_close(struct prompt *p);
/** prompt_asks(p, text, len): ${len} code points, '\n' between rows. */
bool prompt_asks(const struct prompt *p, const uint32_t *text, size_t len);

/** prompt_ends_like_one(ch): The last character of a text that is no blank: whether texts that wait
 * for a line end so. */
bool prompt_ends_like_one(uint32_t ch);

#endif
