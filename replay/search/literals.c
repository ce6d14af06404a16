/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/search/literals.h"

#include <ctype.h>
#include <string.h>

#include "common/utf8.h"

#define TRIGRAMS 48U /* of one alternative; more would only cost */
#define RUN_MAX  256U

struct run {
    char text[RUN_MAX];
    size_t len;
};

struct query {
    struct buf *out;
    struct run run;
    unsigned grams; /* of this alternative */
    bool blind;     /* an alternative has none: every text may match */
    struct error *err;
};

/* ---- trigrams ---- */

static int put_gram(struct query *q, const char *p, size_t len)
{
    if (q->grams++ >= TRIGRAMS) {
        return 0;
    }
    if (buf_puts(q->out, q->grams == 1 ? "(\"" : " AND \"", q->err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        if ((p[i] == '"' && buf_putc(q->out, '"', q->err) != 0) ||
            buf_putc(q->out, p[i], q->err) != 0) {
            return -1;
        }
    }
    return buf_putc(q->out, '"', q->err);
}

/* The literal that ends here. */
static int end_run(struct query *q)
{
    const uint8_t *p = (const uint8_t *)q->run.text;
    size_t at[4] = {0, 0, 0, 0}, n = 0, len = q->run.len;
    int rc = 0;

    for (size_t i = 0; i < len && rc == 0;) {
        int c = utf8_length(p + i, len - i);

        if (c <= 0) {
            n = 0;
            i++;
            continue;
        }
        at[0] = at[1];
        at[1] = at[2];
        at[2] = i;
        i += (size_t)c;
        n++;
        if (n >= 3) {
            rc = put_gram(q, q->run.text + at[0], i - at[0]);
        }
    }
    q->run.len = 0;
    return rc;
}

static int end_alternative(struct query *q, bool last)
{
    if (end_run(q) != 0) {
        return -1;
    }
    q->blind = q->blind || q->grams == 0;
    if (q->grams > 0 && buf_puts(q->out, last ? ")" : ") OR ", q->err) != 0) {
        return -1;
    }
    q->grams = 0;
    return 0;
}

static int add(struct query *q, const char *p, size_t len)
{
    if (q->run.len + len > RUN_MAX && end_run(q) != 0) {
        return -1;
    }
    memcpy(q->run.text + q->run.len, p, len);
    q->run.len += len;
    return 0;
}

/* The last character may be missing. */
static void drop_last(struct query *q)
{
    while (q->run.len > 0 && ((uint8_t)q->run.text[q->run.len - 1] & 0xc0) == 0x80) {
        q->run.len--;
    }
    q->run.len -= q->run.len > 0;
}

/* ---- the expression ---- */

static const char *behind_bracket(const char *p)
{
    p += p[1] == '^' ? 2 : 1;
    p += *p == ']';
    while (*p != '\0' && *p != ']') {
        if (*p == '[' && p[1] != '\0' && strchr(":.=", p[1]) != NULL) {
            const char end[] = {p[1], ']', '\0'}, *found = strstr(p + 2, end);

            p = found != NULL ? found + 1 : p;
        }
        p++;
    }
    return *p == '\0' ? p : p + 1;
}

/* Nothing within a group is asked for. */
static const char *behind_group(const char *p)
{
    int depth = 0;

    do {
        if (*p == '\\' && p[1] != '\0') {
            p += 2;
        } else if (*p == '[') {
            p = behind_bracket(p);
        } else {
            depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
            p++;
        }
    } while (*p != '\0' && depth > 0);
    return p;
}

/* One step of the expression; NULL without room. */
static const char *step(struct query *q, const char *p)
{
    int rc = 0;
    size_t len = 1;

    if (*p == '\\' && p[1] != '\0') {
        /* Escaped letters and digits are GNU's own: \b, \w, \1. */
        rc = isalnum((unsigned char)p[1]) || p[1] == '<' || p[1] == '>' || p[1] == '`' ||
                     p[1] == '\''
                 ? end_run(q)
                 : add(q, p + 1, 1);
        return rc != 0 ? NULL : p + 2;
    }
    switch (*p) {
    case '|':
        return end_alternative(q, false) != 0 ? NULL : p + 1;
    case '*':
    case '?':
    case '{':
        drop_last(q);
        rc = end_run(q);
        while (*p == '{' && p[len] != '\0' && p[len - 1] != '}') {
            len++;
        }
        return rc != 0 ? NULL : p + len;
    case '(':
        return end_run(q) != 0 ? NULL : behind_group(p);
    case '[':
        return end_run(q) != 0 ? NULL : behind_bracket(p);
    case '+':
    case '.':
    case '^':
    case '$':
    case ')':
        return end_run(q) != 0 ? NULL : p + 1;
    default:
        return add(q, p, 1) != 0 ? NULL : p + 1;
    }
}

int literals_query(const char *pattern, bool fixed, struct buf *ret, struct error *err)
{
    struct query q = {.out = ret, .err = err};
    size_t before = ret->len;

    for (const char *p = pattern; *p != '\0';) {
        if (fixed) {
            if (add(&q, p++, 1) != 0) {
                return -1;
            }
        } else if ((p = step(&q, p)) == NULL) {
            return -1;
        }
    }
    if (end_alternative(&q, true) != 0) {
        return -1;
    }
    if (q.blind) {
        ret->len = before;
        return 0;
    }
    return 1;
}
