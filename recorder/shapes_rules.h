/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of access tokens: which prefixes tell them, and what follows.  Used by shapes*.c
 * alone. */
#ifndef TTYTRAIL_RECORDER_SHAPES_RULES_H
#define TTYTRAIL_RECORDER_SHAPES_RULES_H

#include "recorder/shapes_match.h"

/* Characters that a token goes on with. */
enum members { UPPER32, ALNUM, BASE64, BASE64URL, WORDS, DOTTED, PERCENT };

/* MIXED: letters of both cases and digits, where the prefix alone tells little. */
enum form { PLAIN, MIXED, KEY_ID, SECRET_KEY, JWT, PEM, PEM_REST };

struct shapes_rule {
    const char *kind;
    const char *prefix;  /* ends with a byte of shapes_rules_stop */
    size_t len;          /* ... */
    const char *literal; /* what has to follow it, shown too; NULL: nothing */
    enum members members;
    unsigned least, most; /* characters behind it; most 0: any number */
    enum form form;
};

/* Near a key's id, or named: 40 characters of base64; a session token is longer. */
extern const struct shapes_rule shapes_secret_key, shapes_session_token;
/* Behind a private key that broke off: more of it; and what it goes on as. */
extern const struct shapes_rule shapes_pem_rest, shapes_pem;

/** shapes_rules_member(m, c): Whether ${c} may stand in such a token. */
bool shapes_rules_member(enum members m, uint8_t c);
/** shapes_rules_word(c): Whether ${c} would make a token the part of a longer word. */
bool shapes_rules_word(uint8_t c);
#define SHAPES_RULES_ALWAYS 0x80U

/* Bytes that prefixes and names end with, and those that are more than a character (ALWAYS); which
 * of them another byte may stand before: a bit in common. */
extern const uint8_t shapes_rules_stop[256], shapes_rules_before[256];
/** shapes_rules_fits(a, b, c): Whether a prefix or a name may end with these three. */
bool shapes_rules_fits(uint8_t a, uint8_t b, uint8_t c);
/** shapes_rules_next(t, after): The next token behind ${after} (NULL: the first) that begins behind
 * the newest characters of ${t}; NULL: none. */
const struct shapes_rule *shapes_rules_next(const struct shapes_text *t,
                                            const struct shapes_rule *after);
/** shapes_rules_named(t): Whether they name a secret key or a session token. */
bool shapes_rules_named(const struct shapes_text *t);
/** shapes_rules_at_word(t): Whether a word of base64 begins behind them. */
bool shapes_rules_at_word(const struct shapes_text *t);

#endif
