/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of shapes.c, shared by shapes_hold.c, which withholds, hides and hands on, and by
 * shapes_text.c, which follows one text; shapes.c follows the stream. */
#ifndef TTYTRAIL_RECORDER_SHAPES_IMPL_H
#define TTYTRAIL_RECORDER_SHAPES_IMPL_H

#include "recorder/shapes.h"
#include "recorder/shapes_rules.h"

/* Of which text a withheld byte is; of a clipboard's base64 every byte is hidden. */
enum shapes_of { OF_NONE, OF_OUTER, OF_INNER, OF_ENCODED };

/** shapes_hold_pass(s, at): The caller's bytes up to ${at} are handed on. */
void shapes_hold_pass(struct shapes *s, size_t at);
/** shapes_hold_undecided(s): Where among the withheld bytes those begin that may yet be hidden. */
size_t shapes_hold_undecided(const struct shapes *s);
/** shapes_hold_release(s, n): The oldest ${n} of them go. */
void shapes_hold_release(struct shapes *s, size_t n);
/** shapes_hold_put(s, t, at, of): The byte at ${at}, of ${t} (NULL: of none), is withheld, or
 * handed on with its slice while nothing is. */
void shapes_hold_put(struct shapes *s, const struct shapes_text *t, size_t at, uint8_t of);
/** shapes_hold_take(s, t, c, pem_alone): ${c} goes on with matches or ends them. */
void shapes_hold_take(struct shapes *s, struct shapes_text *t, uint8_t c, bool pem_alone);
/** shapes_hold_sure(s, t, i): It is a token, and now match 0: the others of its text are none, but
 * perhaps a JWT, whose parts look like other keys. */
void shapes_hold_sure(struct shapes *s, struct shapes_text *t, unsigned i);
/** shapes_hold_forget(t, i): Match ${i} is none. */
void shapes_hold_forget(struct shapes_text *t, unsigned i);
/** shapes_hold_end(s, t, next): Those that are `over` end; ${next} follows (0: nothing). */
void shapes_hold_end(struct shapes *s, struct shapes_text *t, uint8_t next);
/** shapes_hold_end_all(s, t, next, all): The text is interrupted; private keys in PEM go on over
 * that, unless ${all}. */
void shapes_hold_end_all(struct shapes *s, struct shapes_text *t, uint8_t next, bool all);

/** shapes_text_put(s, t, at, c, of): ${c} is the next of ${t}, and stands at ${at}. */
void shapes_text_put(struct shapes *s, struct shapes_text *t, size_t at, uint8_t c, uint8_t of);
/** shapes_text_look(s, t): Whether there is enough of a match. */
void shapes_text_look(struct shapes *s, struct shapes_text *t);
/** shapes_text_cross(s, t, end): A row ends. */
void shapes_text_cross(struct shapes *s, struct shapes_text *t, const struct shapes_end *end);
/** shapes_text_at_edge(s, col), shapes_text_full(s, col): Whether the row is full; ... but perhaps
 * for a sign that it goes on. */
bool shapes_text_at_edge(const struct shapes *s, uint32_t col);
bool shapes_text_full(const struct shapes *s, uint32_t col);

#endif
