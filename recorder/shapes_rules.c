/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/shapes_rules.h"

#include <string.h>

/* Longer prefixes before shorter ones that they begin with.  Sources: the issuers' documentation of
 * their tokens' formats; RFC 7519 (JWT: both JSON objects begin with {" which is eyJ in base64url);
 * RFC 7468 (PEM). */
static const struct shapes_rule rules[] = {
    {"aws-key-id", "AKIA", UPPER32, 16, 16, KEY_ID},
    {"aws-key-id", "ASIA", UPPER32, 16, 16, KEY_ID},
    {"github", "ghp_", ALNUM, 36, 0, PLAIN},
    {"github", "gho_", ALNUM, 36, 0, PLAIN},
    {"github", "ghu_", ALNUM, 36, 0, PLAIN},
    {"github", "ghs_", ALNUM, 36, 0, PLAIN},
    {"github", "ghr_", ALNUM, 36, 0, PLAIN},
    {"github", "github_pat_", WORDS, 22, 0, PLAIN},
    {"gitlab", "glpat-", BASE64URL, 20, 0, PLAIN},
    {"slack", "xoxb-", BASE64URL, 20, 0, PLAIN},
    {"slack", "xoxp-", BASE64URL, 20, 0, PLAIN},
    {"slack", "xoxa-", BASE64URL, 20, 0, PLAIN},
    {"slack", "xoxe-", BASE64URL, 20, 0, PLAIN},
    {"slack", "xoxr-", BASE64URL, 20, 0, PLAIN},
    {"slack", "xoxs-", BASE64URL, 20, 0, PLAIN},
    {"stripe", "sk_live_", ALNUM, 16, 0, PLAIN},
    {"stripe", "rk_live_", ALNUM, 16, 0, PLAIN},
    {"vault", "hvs.", BASE64URL, 24, 0, PLAIN},
    {"vault", "hvb.", BASE64URL, 24, 0, PLAIN},
    {"vault", "hvr.", BASE64URL, 24, 0, PLAIN},
    {"jwt", "eyJ", BASE64URL, 8, 0, JWT},
    {"pem-private-key", "PRIVATE KEY-----", BASE64, 1, 65536, PEM},
};
#define RULES (sizeof rules / sizeof rules[0])

const struct shapes_rule shapes_secret_key = {"aws-secret-key", "", BASE64, 40, 40, SECRET_KEY};
const struct shapes_rule shapes_session_token = {"aws-session-token", "", BASE64, 100, 0,
                                                 SECRET_KEY};

/* Names of secret keys and session tokens, up to a character that is rare in text. */
static const char *const names[] = {"ecret_access_", "ecretAccessK", "ECRET_ACCESS_",
                                    "session_",      "SessionT",     "SESSION_"};

const uint8_t shapes_rules_stop[256] = {
    ['A'] = 1, ['_'] = 1, ['-'] = 1, ['.'] = 1, ['J'] = 1, ['K'] = 1, ['T'] = 1, [0x1b] = 1,
};

bool shapes_rules_fits(uint8_t a, uint8_t b, uint8_t c)
{
    switch (c) {
    case 'A': /* AKIA, ASIA */
        return b == 'I' && (a == 'K' || a == 'S');
    case 'J': /* eyJ */
        return b == 'y' && a == 'e';
    case 'K': /* ecretAccessK */
        return b == 's' && a == 's';
    case 'T': /* SessionT */
        return b == 'n' && a == 'o';
    case '.': /* hvs. */
        return a == 'v';
    case '-': /* glpat-, xoxb-, ----- */
        return (b == 't' && a == 'a') || a == 'x' || (b == '-' && a == '-');
    case '_': /* ghp_, pat_, live_, access_, ACCESS_, session_, SESSION_ */
    default:
        return a == 'h' || (b == 't' && a == 'a') || (b == 'e' && a == 'v') ||
               (b == 's' && a == 's') || (b == 'S' && a == 'S') || (b == 'n' && a == 'o') ||
               (b == 'N' && a == 'O');
    }
}

bool shapes_rules_member(enum members m, uint8_t c)
{
    bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';

    switch (m) {
    case UPPER32:
        return upper || (c >= '2' && c <= '7');
    case ALNUM:
        return upper || lower || digit;
    case BASE64:
        return upper || lower || digit || c == '+' || c == '/' || c == '=';
    case BASE64URL:
        return upper || lower || digit || c == '-' || c == '_';
    case WORDS:
    default:
        return upper || lower || digit || c == '_';
    }
}

bool shapes_rules_word(uint8_t c)
{
    return shapes_rules_member(WORDS, c) || c == '+' || c == '/';
}

static bool ends_with(const struct shapes *s, const char *text, size_t len)
{
    return s->last[SHAPES_LAST - 2] == (uint8_t)text[len - 2] &&
           memcmp(s->last + SHAPES_LAST - len, text, len) == 0;
}

/* "-----BEGIN ENCRYPTED PRIVATE KEY-----", and not its end. */
static bool is_pem_begin(const struct shapes *s)
{
    return memmem(s->last, SHAPES_LAST, "-----BEGIN ", 11) != NULL;
}

const struct shapes_rule *shapes_rules_begins(const struct shapes *s)
{
    for (size_t i = 0; i < RULES; i++) {
        size_t len = strlen(rules[i].prefix);

        if (ends_with(s, rules[i].prefix, len) &&
            (rules[i].form == PEM ? is_pem_begin(s)
                                  : !shapes_rules_word(s->last[SHAPES_LAST - len - 1]))) {
            return &rules[i];
        }
    }
    return NULL;
}

bool shapes_rules_named(const struct shapes *s)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (ends_with(s, names[i], strlen(names[i]))) {
            return true;
        }
    }
    return false;
}
