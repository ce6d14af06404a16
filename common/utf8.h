/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 as RFC 3629 has it (no surrogates, no overlong forms, nothing above U+10FFFF).  An eighth
 * file of common: sealing, the logs, JSON and the screen all have to agree on what a character is.
 */
#ifndef TTYTRAIL_COMMON_UTF8_H
#define TTYTRAIL_COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/** utf8_length(p, len): Length of the well-formed character at ${p} (1 to 4); 0 when the bytes
 * cannot begin one; -1 when they may, but ${len} ends too early. */
int utf8_length(const uint8_t *p, size_t len);
/** utf8_plain(p, len): How many bytes at ${p} are printable ASCII other than '"' and '\\': what
 * JSON takes as it stands. */
size_t utf8_plain(const uint8_t *p, size_t len);
/** utf8_copy_plain(p, len, at): As utf8_plain, and the bytes are copied to *${at}, which moves on;
 * up to 7 bytes beyond them may be written. */
size_t utf8_copy_plain(const uint8_t *p, size_t len, uint8_t **at);
/** utf8_printable(p, len): Length of the character at ${p} if it is well formed and not a C0, DEL
 * or C1 control or a bidirectional override; else 0. */
size_t utf8_printable(const uint8_t *p, size_t len);
/** utf8_partial_tail(p, len): How many bytes (0 to 3) at the end of ${p} are an unfinished
 * character. */
size_t utf8_partial_tail(const uint8_t *p, size_t len);
/** utf8_put(ch, to): ${ch} as UTF-8 at ${to}, which has room for 4 bytes; how many it is.  What is
 * no character (above U+10FFFF) becomes U+FFFD. */
size_t utf8_put(uint32_t ch, uint8_t *to);

#endif
