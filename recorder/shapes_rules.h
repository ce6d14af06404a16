/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of access tokens: which prefixes tell them, and what follows.  Used by shapes.c alone.
 */
#ifndef TTYTRAIL_RECORDER_SHAPES_RULES_H
#define TTYTRAIL_RECORDER_SHAPES_RULES_H

#include "recorder/shapes.h"

/* Characters that a token goes on with. */
enum members { UPPER32, ALNUM, BASE64, BASE64URL, WORDS };

enum form { PLAIN, KEY_ID, SECRET_KEY, JWT, PEM };

struct shapes_rule {
    const char *kind;
    const char *prefix;
    enum members members;
    unsigned least, most; /* characters behind the prefix; most 0: any number */
    enum form form;
};

#define SHAPES_LAST (sizeof((struct shapes *)NULL)->last)

/* Near a key's id, or named: 40 characters of base64; a session token is longer. */
extern const struct shapes_rule shapes_secret_key, shapes_session_token;

/** shapes_rules_member(m, c): Whether ${c} may stand in such a token. */
bool shapes_rules_member(enum members m, uint8_t c);
/** shapes_rules_word(c): Whether ${c} would make a token the part of a longer word. */
bool shapes_rules_word(uint8_t c);
/* Bytes that prefixes and names end with, and ESC. */
extern const uint8_t shapes_rules_stop[256];
/** shapes_rules_fits(a, b, c): Whether a prefix or a name may end with these three. */
bool shapes_rules_fits(uint8_t a, uint8_t b, uint8_t c);
/** shapes_rules_begins(s): The token that begins behind the newest characters of ${s}; NULL: none.
 */
const struct shapes_rule *shapes_rules_begins(const struct shapes *s);
/** shapes_rules_named(s): Whether they name a secret key or a session token. */
bool shapes_rules_named(const struct shapes *s);

#endif
