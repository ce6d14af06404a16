/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/shapes_rules.h"

#include <string.h>

#define ALWAYS       SHAPES_RULES_ALWAYS
#define PREFIX_MAX   24U
#define PREFIX(text) text, sizeof text - 1

/* Sources: the issuers' documentation of their tokens' formats; RFC 7519 and 7516 (JWT, JWE: the
 * header is a JSON object, whose {" is eyJ in base64url); RFC 7468, 1421, 9580 (PEM). */
static const struct shapes_rule rules[] = {
    {"aws-key-id", PREFIX("AKIA"), NULL, UPPER32, 16, 16, KEY_ID},
    {"aws-key-id", PREFIX("ASIA"), NULL, UPPER32, 16, 16, KEY_ID},
    {"aws-session-token", PREFIX("IQoJ"), NULL, PERCENT, 100, 0, MIXED},
    {"aws-session-token", PREFIX("FwoGZX"), NULL, PERCENT, 100, 0, MIXED},
    {"github", PREFIX("ghp_"), NULL, ALNUM, 36, 0, PLAIN},
    {"github", PREFIX("gho_"), NULL, ALNUM, 36, 0, PLAIN},
    {"github", PREFIX("ghu_"), NULL, ALNUM, 36, 0, PLAIN},
    {"github", PREFIX("ghs_"), NULL, ALNUM, 36, 0, PLAIN},
    {"github", PREFIX("ghr_"), NULL, ALNUM, 36, 0, PLAIN},
    {"github", PREFIX("github_pat_"), NULL, WORDS, 22, 0, PLAIN},
    {"gitlab", PREFIX("glpat-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("gloas-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("gldt-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glrt-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glrtr-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glcbt-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glptt-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glft-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glimt-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glwt-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glsoat-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glffct-"), NULL, DOTTED, 20, 0, PLAIN},
    {"gitlab", PREFIX("glagent-"), NULL, DOTTED, 20, 0, PLAIN},
    {"slack", PREFIX("xoxa-"), NULL, BASE64URL, 20, 0, PLAIN},
    {"slack", PREFIX("xoxb-"), NULL, BASE64URL, 20, 0, PLAIN},
    {"slack", PREFIX("xoxc-"), NULL, BASE64URL, 20, 0, PLAIN},
    {"slack", PREFIX("xoxd-"), NULL, PERCENT, 20, 0, PLAIN},
    {"slack", PREFIX("xoxe-"), NULL, BASE64URL, 20, 0, PLAIN},
    {"slack", PREFIX("xoxp-"), NULL, BASE64URL, 20, 0, PLAIN},
    {"slack", PREFIX("xoxr-"), NULL, BASE64URL, 20, 0, PLAIN},
    {"slack", PREFIX("xoxs-"), NULL, BASE64URL, 20, 0, PLAIN},
    {"slack", PREFIX("xapp-"), NULL, BASE64URL, 20, 0, PLAIN},
    {"slack", PREFIX("hooks.slack."), "com/services/", BASE64, 30, 0, PLAIN},
    {"stripe", PREFIX("sk_live_"), NULL, ALNUM, 16, 0, PLAIN},
    {"stripe", PREFIX("rk_live_"), NULL, ALNUM, 16, 0, PLAIN},
    {"stripe", PREFIX("whsec_"), NULL, BASE64, 24, 0, PLAIN},
    {"vault", PREFIX("hvs."), NULL, DOTTED, 24, 0, PLAIN},
    {"vault", PREFIX("hvb."), NULL, DOTTED, 24, 0, PLAIN},
    {"vault", PREFIX("hvr."), NULL, DOTTED, 24, 0, PLAIN},
    {"vault", PREFIX("s."), NULL, ALNUM, 24, 24, MIXED},
    {"jwt", PREFIX("eyJ"), NULL, BASE64URL, 8, 0, JWT},
    {"npm", PREFIX("npm_"), NULL, ALNUM, 36, 0, PLAIN},
    {"pypi", PREFIX("pypi-"), NULL, BASE64URL, 50, 0, PLAIN},
    {"anthropic", PREFIX("sk-ant-"), NULL, BASE64URL, 32, 0, PLAIN},
    {"openai", PREFIX("sk-proj-"), NULL, BASE64URL, 40, 0, PLAIN},
    {"google", PREFIX("AIz"), "a", BASE64URL, 35, 35, MIXED},
    {"google", PREFIX("ya29."), NULL, DOTTED, 30, 0, MIXED},
    {"digitalocean", PREFIX("dop_v1_"), NULL, ALNUM, 64, 0, PLAIN},
    {"digitalocean", PREFIX("doo_v1_"), NULL, ALNUM, 64, 0, PLAIN},
    {"digitalocean", PREFIX("dor_v1_"), NULL, ALNUM, 64, 0, PLAIN},
    {"sendgrid", PREFIX("SG."), NULL, DOTTED, 60, 0, MIXED},
    {"huggingface", PREFIX("hf_"), NULL, ALNUM, 34, 0, MIXED},
    {"age", PREFIX("AGE-SECRET-KEY-"), "1", ALNUM, 58, 58, PLAIN},
    {"pem-private-key", PREFIX("PRIVATE KEY-"), NULL, BASE64, 0, 65536, PEM},
    {"pem-private-key", PREFIX("PRIVATE KEY BLOCK-"), NULL, BASE64, 0, 65536, PEM},
    /* The same in base64, as Kubernetes shows it: "-----BEGIN ", a kind of key, "PRIVATE KE". */
    {"pem-private-key", PREFIX("LS0tLS1CRUdJT"), "iBQUklWQVRFIEtFW", BASE64, 40, 0, PLAIN},
    {"pem-private-key", PREFIX("LS0tLS1CRUdJT"), "iBSU0EgUFJJVkFURSBLR", BASE64, 40, 0, PLAIN},
    {"pem-private-key", PREFIX("LS0tLS1CRUdJT"), "iBFQyBQUklWQVRFIEtFW", BASE64, 40, 0, PLAIN},
    {"pem-private-key", PREFIX("LS0tLS1CRUdJT"), "iBPUEVOU1NIIFBSSVZBVEUgS0VZ", BASE64, 40, 0,
     PLAIN},
    {"pem-private-key", PREFIX("LS0tLS1CRUdJT"), "iBFTkNSWVBURUQgUFJJVkFURSBLR", BASE64, 40, 0,
     PLAIN},
    {"pem-private-key", PREFIX("LS0tLS1CRUdJT"), "iBQR1AgUFJJVkFURSBLR", BASE64, 40, 0, PLAIN},
};
#define RULES (sizeof rules / sizeof rules[0])

const struct shapes_rule shapes_secret_key = {"aws-secret-key", PREFIX(""), NULL, BASE64, 40, 40,
                                              SECRET_KEY};
const struct shapes_rule shapes_session_token = {
    "aws-session-token", PREFIX(""), NULL, BASE64, 100, 0, SECRET_KEY};
const struct shapes_rule shapes_pem_rest = {"pem-private-key", PREFIX(""), NULL, BASE64, 40, 0,
                                            PEM_REST};
const struct shapes_rule shapes_pem = {"pem-private-key", PREFIX(""), NULL, BASE64, 0, 65536, PEM};

/* Names of secret keys and session tokens, up to a character that is rare in text. */
static const struct {
    const char *text;
    size_t len;
} names[] = {{PREFIX("ecret_")},   {PREFIX("ECRET_")},      {PREFIX("ecret-")},
             {PREFIX("ecretK")},   {PREFIX("cretAccessK")}, {PREFIX("et Access K")},
             {PREFIX("session_")}, {PREFIX("session-")},    {PREFIX("SessionT")},
             {PREFIX("SESSION_")}};

/* One bit for each, so that a byte and the one before it are looked up at once. */
const uint8_t shapes_rules_stop[256] = {
    ['A'] = 0x01,    ['_'] = 0x02,    ['-'] = 0x04,    ['.'] = 0x08, ['J'] = 0x10,
    ['K'] = 0x10,    ['T'] = 0x20,    ['X'] = 0x40,    ['z'] = 0x40, ['\r'] = 0x40,
    ['\b'] = ALWAYS, [0x1b] = ALWAYS, [0x7f] = ALWAYS,
};
const uint8_t shapes_rules_before[256] = {
    ['\n'] = 0x7f, [' '] = 0x50, ['1'] = 0x02, ['9'] = 0x08, ['G'] = 0x08, ['I'] = 0x41,
    ['J'] = 0x20,  ['K'] = 0x04, ['N'] = 0x02, ['T'] = 0x02, ['Y'] = 0x04, ['Z'] = 0x40,
    ['a'] = 0x04,  ['b'] = 0x0c, ['c'] = 0x06, ['d'] = 0x04, ['e'] = 0x06, ['f'] = 0x02,
    ['i'] = 0x04,  ['j'] = 0x04, ['k'] = 0x08, ['m'] = 0x02, ['n'] = 0x26, ['o'] = 0x12,
    ['p'] = 0x06,  ['r'] = 0x0e, ['s'] = 0x1e, ['t'] = 0x16, ['u'] = 0x02, ['y'] = 0x10,
};

/* "-": a GitLab token, xoxb-, xapp-, pypi-, sk-ant-, sk-proj-, KEY-, BLOCK-, secret-, session-. */
static bool dash_fits(uint8_t a, uint8_t b)
{
    return b == 't' || a == 'x' || (b == 's' && a == 'a') || (b == 'r' && a == 't') ||
           (b == 'p' && a == 'p') || (b == 'i' && a == 'p') || (b == 'j' && a == 'o') ||
           (b == 'Y' && a == 'E') || (b == 'K' && a == 'C') || (b == 'n' && a == 'o');
}

/* "_": ghp_, pat_, live_, whsec_, npm_, v1_, hf_, secret_, SECRET_, session_, SESSION_. */
static bool line_fits(uint8_t a, uint8_t b)
{
    return a == 'h' || (b == 't' && (a == 'a' || a == 'e')) || (b == 'e' && a == 'v') ||
           (b == 'c' && a == 'e') || (b == 'm' && a == 'p') || (b == '1' && a == 'v') || b == 'f' ||
           (b == 'T' && a == 'E') || (b == 'n' && a == 'o') || (b == 'N' && a == 'O');
}

static bool three_fit(uint8_t a, uint8_t b, uint8_t c)
{
    switch (c) {
    case 'A': /* AKIA, ASIA */
        return b == 'I' && (a == 'K' || a == 'S');
    case 'J': /* eyJ, IQoJ */
        return (b == 'y' && a == 'e') || (b == 'o' && a == 'Q');
    case 'K': /* ecretAccessK, ecretK, Access K */
        return (b == 's' && a == 's') || (b == 't' && a == 'e') || (b == ' ' && a == 's');
    case 'T': /* SessionT, LS0tLS1CRUdJT */
        return (b == 'n' && a == 'o') || (b == 'J' && a == 'd');
    case 'X': /* FwoGZX */
        return b == 'Z' && a == 'G';
    case 'z': /* AIz */
        return b == 'I' && a == 'A';
    case '.': /* hvs., s., SG., ya29., slack. */
        return a == 'v' || b == 's' || b == 'G' || b == '9' || (b == 'k' && a == 'c');
    case '-':
        return dash_fits(a, b);
    case '_':
        return line_fits(a, b);
    case '\r': /* a line editor at the right edge */
        return b == ' ';
    default:
        return true;
    }
}

bool shapes_rules_fits(uint8_t a, uint8_t b, uint8_t c)
{
    /* A row may end in a prefix. */
    return a == '\n' || b == '\n' || three_fit(a, b, c);
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
    case PERCENT:
        return shapes_rules_member(BASE64URL, c) || c == '+' || c == '/' || c == '=' || c == '%';
    case BASE64URL:
        return upper || lower || digit || c == '-' || c == '_';
    case DOTTED:
        return upper || lower || digit || c == '-' || c == '_' || c == '.';
    case WORDS:
    default:
        return upper || lower || digit || c == '_';
    }
}

bool shapes_rules_word(uint8_t c)
{
    return shapes_rules_member(WORDS, c);
}

static bool ends_with(const uint8_t *last, const char *text, size_t len)
{
    return last[SHAPES_LAST - 1] == (uint8_t)text[len - 1] &&
           last[SHAPES_LAST - 2] == (uint8_t)text[len - 2] &&
           memcmp(last + SHAPES_LAST - len, text, len) == 0;
}

static bool hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether the newest ${len} characters begin a word: an escape's "\n" or "%3D" is none of it. */
static bool stands_alone(const uint8_t *last, size_t len)
{
    const uint8_t *p = last + SHAPES_LAST - len;

    return !shapes_rules_word(p[-1]) || (p[-2] == '\\' && memchr("nrt", p[-1], 3) != NULL) ||
           (p[-3] == '%' && hex(p[-2]) && hex(p[-1]));
}

/* "-----BEGIN ENCRYPTED PRIVATE KEY-----", and not its end. */
static bool is_pem_begin(const uint8_t *last, size_t len)
{
    static const char begin[] = "-----BEGIN ";
    size_t at = SHAPES_LAST - len;

    while (at >= sizeof begin - 1 &&
           memcmp(last + at - (sizeof begin - 1), begin, sizeof begin - 1) != 0) {
        at--;
        if (!shapes_rules_member(ALNUM, last[at]) && last[at] != ' ') {
            return false;
        }
    }
    return at >= sizeof begin - 1;
}

static bool begins_behind(const struct shapes_rule *rule, const uint8_t *last)
{
    return ends_with(last, rule->prefix, rule->len) &&
           (rule->form == PEM ? is_pem_begin(last, rule->len) : stands_alone(last, rule->len));
}

/* The newest characters without rows' ends; false when there are none among them. */
static bool join_rows(const uint8_t *last, uint8_t ret[SHAPES_LAST])
{
    size_t to = SHAPES_LAST;

    if (memchr(last + SHAPES_LAST - PREFIX_MAX, '\n', PREFIX_MAX) == NULL) {
        return false;
    }
    for (size_t from = SHAPES_LAST; from-- > 0;) {
        if (last[from] != '\r' && last[from] != '\n') {
            ret[--to] = last[from];
        }
    }
    memset(ret, 0, to);
    return true;
}

/* Whether the newest three fit, rows' ends between them apart. */
static bool fits_over_rows(const uint8_t *last)
{
    uint8_t before[2] = {0};
    size_t n = 0;

    for (size_t i = SHAPES_LAST - 1; i-- > SHAPES_LAST - PREFIX_MAX && n < 2;) {
        if (last[i] != '\r' && last[i] != '\n') {
            before[n++] = last[i];
        }
    }
    return three_fit(before[1], before[0], last[SHAPES_LAST - 1]);
}

const struct shapes_rule *shapes_rules_next(const struct shapes_text *t,
                                            const struct shapes_rule *after)
{
    const uint8_t *end = t->last + SHAPES_LAST;
    /* "xr-" is of a file's rights, "xoxr-" of a token. */
    bool rights = end[-1] == '-' && end[-3] == 'x' && end[-4] != 'o' && end[-4] != '\n';
    bool here = !rights && three_fit(end[-3], end[-2], end[-1]);
    uint8_t joined[SHAPES_LAST];
    bool rows = !rights && fits_over_rows(t->last) && join_rows(t->last, joined);

    if (!here && !rows) {
        return NULL;
    }
    for (size_t i = after == NULL ? 0 : (size_t)(after - rules) + 1; i < RULES; i++) {
        if ((here && begins_behind(&rules[i], t->last)) ||
            (rows && begins_behind(&rules[i], joined) &&
             memchr(end - rules[i].len, '\n', rules[i].len) != NULL)) {
            return &rules[i];
        }
    }
    return NULL;
}

bool shapes_rules_named(const struct shapes_text *t)
{
    const uint8_t *end = t->last + SHAPES_LAST;

    if (!three_fit(end[-3], end[-2], end[-1])) {
        return false;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (ends_with(t->last, names[i].text, names[i].len)) {
            return true;
        }
    }
    return false;
}

bool shapes_rules_at_word(const struct shapes_text *t)
{
    uint8_t before = t->last[SHAPES_LAST - 1];

    return stands_alone(t->last, 0) && before != '+' && before != '/' &&
           !(before == '\r' && t->last[SHAPES_LAST - 2] == ' ');
}
