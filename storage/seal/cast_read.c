/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "storage/seal/cast.h"

struct slot {
    bool header;
    uint64_t t_us;
    char kind;
    struct buf bytes;
};

/* One line is held back, since the next may be the 'b' line with its exact bytes. */
struct cast_reader {
    struct buf text;
    size_t scanned; /* of text, without a line feed */
    size_t max_line;
    uint64_t number;
    bool have_held;
    bool skipping; /* the rest of a line that was too long */
    struct slot held, out, fresh;
};

int cast_reader_new(struct cast_reader **ret, size_t max_line, struct error *err)
{
    struct cast_reader *r = calloc(1, sizeof *r);

    if (r == NULL) {
        return err_sys(err, "allocate");
    }
    r->max_line = max_line;
    buf_init(&r->text, SIZE_MAX / 4);
    buf_init(&r->held.bytes, max_line);
    buf_init(&r->out.bytes, max_line);
    buf_init(&r->fresh.bytes, max_line);
    *ret = r;
    return 0;
}

void cast_reader_free(struct cast_reader *r)
{
    if (r != NULL) {
        buf_clear(&r->text);
        buf_clear(&r->held.bytes);
        buf_clear(&r->out.bytes);
        buf_clear(&r->fresh.bytes);
        free(r);
    }
}

int cast_reader_feed(struct cast_reader *r, const void *bytes, size_t len, struct error *err)
{
    return buf_append(&r->text, bytes, len, err);
}

/* ---- one line ---- */

struct cursor {
    const uint8_t *p, *end;
};

static void skip_blank(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\r')) {
        c->p++;
    }
}

static bool take(struct cursor *c, char want)
{
    skip_blank(c);
    if (c->p == c->end || *c->p != (uint8_t)want) {
        return false;
    }
    c->p++;
    return true;
}

static int hex4(const uint8_t *p)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        int c = p[i] | 32;
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (d < 0) {
            return -1;
        }
        v = v * 16 + d;
    }
    return v;
}

static int put_code_point(struct buf *to, uint32_t c, struct error *err)
{
    uint8_t u[4];
    size_t n;

    if (c >= 0xd800 && c <= 0xdfff) {
        c = 0xfffd;
    }
    if (c < 0x80) {
        u[0] = (uint8_t)c;
        n = 1;
    } else if (c < 0x800) {
        u[0] = (uint8_t)(0xc0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        u[0] = (uint8_t)(0xe0 | c >> 12);
        n = 3;
    } else {
        u[0] = (uint8_t)(0xf0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++) {
        u[i] = (uint8_t)(0x80 | (c >> (6 * (n - 1 - i)) & 63));
    }
    return buf_append(to, u, n, err);
}

/* After "\u": four digits, perhaps a low surrogate.  False when they are none. */
static bool take_unicode(struct cursor *c, struct buf *to, struct error *err)
{
    int hi, lo;

    if (c->end - c->p < 4 || (hi = hex4(c->p)) < 0) {
        return false;
    }
    c->p += 4;
    if (hi >= 0xd800 && hi <= 0xdbff && c->end - c->p >= 6 && c->p[0] == '\\' && c->p[1] == 'u' &&
        (lo = hex4(c->p + 2)) >= 0xdc00 && lo <= 0xdfff) {
        c->p += 6;
        hi = 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
    }
    return put_code_point(to, (uint32_t)hi, err) == 0;
}

static bool take_escape(struct cursor *c, struct buf *to, struct error *err)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *at;

    if (c->p == c->end) {
        return false;
    }
    if (*c->p == 'u') {
        c->p++;
        return take_unicode(c, to, err);
    }
    at = *c->p == '\0' ? NULL : strchr(from, *c->p);
    if (at == NULL) {
        return false;
    }
    c->p++;
    return buf_putc(to, into[at - from], err) == 0;
}

static bool take_string(struct cursor *c, struct buf *to, struct error *err)
{
    if (!take(c, '"')) {
        return false;
    }
    while (c->p < c->end) {
        size_t n = utf8_plain(c->p, (size_t)(c->end - c->p));

        if (n > 0) {
            if (buf_append(to, c->p, n, err) != 0) {
                return false;
            }
            c->p += n;
            continue;
        }
        if (*c->p == '"') {
            c->p++;
            return true;
        }
        if (*c->p == '\\') {
            c->p++;
            if (!take_escape(c, to, err)) {
                return false;
            }
            continue;
        }
        if (buf_append(to, c->p, 1, err) != 0) {
            return false;
        }
        c->p++;
    }
    return false;
}

/* Seconds with any fraction or exponent, as other writers print them, to microseconds. */
static bool take_time(struct cursor *c, uint64_t *ret_us)
{
    char digits[40], *end;
    size_t n = 0;
    double s;

    skip_blank(c);
    while (c->p < c->end && n < sizeof digits - 1 &&
           ((*c->p >= '0' && *c->p <= '9') || strchr("+-.eE", *c->p) != NULL) && *c->p != '\0') {
        digits[n++] = (char)*c->p++;
    }
    digits[n] = '\0';
    s = strtod(digits, &end);
    if (n == 0 || *end != '\0' || !(s >= 0) || s > 1e11) {
        return false;
    }
    *ret_us = (uint64_t)(s * 1e6 + 0.5);
    return true;
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes in place; false when it is no base64. */
static bool decode_base64(struct buf *b)
{
    uint8_t *p = buf_data(b);
    size_t len = b->len, o = 0;

    if (len % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i += 4) {
        size_t pad = p[i + 3] != '=' ? 0 : p[i + 2] != '=' ? 1 : 2;
        uint32_t v = 0;

        if (pad > 0 && i + 4 != len) {
            return false;
        }
        for (size_t k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : base64_value(p[i + k]);

            if (d < 0) {
                return false;
            }
            v = v << 6 | (uint32_t)d;
        }
        p[o++] = (uint8_t)(v >> 16);
        if (pad < 2) {
            p[o++] = (uint8_t)(v >> 8);
        }
        if (pad < 1) {
            p[o++] = (uint8_t)v;
        }
    }
    b->len = o;
    return true;
}

static bool parse_event(struct cursor *c, struct slot *to, struct error *err)
{
    struct buf code;
    bool ok;

    buf_init(&code, 64);
    buf_reset(&to->bytes);
    to->header = false;
    ok = take(c, '[') && take_time(c, &to->t_us) && take(c, ',') && take_string(c, &code, err) &&
         take(c, ',') && take_string(c, &to->bytes, err) && take(c, ']');
    if (ok) {
        skip_blank(c);
        ok = c->p == c->end;
        to->kind = code.len == 1 ? (char)buf_data(&code)[0] : '?';
        if (ok && to->kind == 'b') {
            ok = decode_base64(&to->bytes);
        }
    }
    buf_clear(&code);
    return ok;
}

static int parse_line(struct cast_reader *r, const uint8_t *p, size_t len, struct error *err)
{
    struct cursor c = {.p = p, .end = p + len};

    r->number++;
    skip_blank(&c);
    if (c.p < c.end && *c.p == '{') {
        r->fresh.header = true;
        r->fresh.t_us = 0;
        r->fresh.kind = 'h';
        buf_reset(&r->fresh.bytes);
        return buf_append(&r->fresh.bytes, c.p, (size_t)(c.end - c.p), err);
    }
    if (!parse_event(&c, &r->fresh, err)) {
        return err_set(err, ERR_CORRUPT, "line %llu is no asciicast event",
                       (unsigned long long)r->number);
    }
    return 0;
}

/* ---- lines ---- */

/* What is left of a line that was too long goes, up to its line feed. */
static void skip_rest(struct cast_reader *r)
{
    const uint8_t *data = buf_data(&r->text);
    const uint8_t *nl = memchr(data, '\n', r->text.len);

    r->scanned = 0;
    r->skipping = nl == NULL;
    buf_consume(&r->text, nl == NULL ? r->text.len : (size_t)(nl - data) + 1);
}

/* The next whole line's length without its line feed in *ret_len: 1; 0 none yet; -1 too long (it is
 * passed over). */
static int find_line(struct cast_reader *r, bool at_end, size_t *ret_len, size_t *ret_used,
                     struct error *err)
{
    const uint8_t *data, *nl;

    if (r->skipping) {
        skip_rest(r);
    }
    data = buf_data(&r->text);
    nl = memchr(data + r->scanned, '\n', r->text.len - r->scanned);
    *ret_len = nl == NULL ? r->text.len : (size_t)(nl - data);
    *ret_used = nl == NULL ? r->text.len : *ret_len + 1;
    if (*ret_len > r->max_line) {
        r->number++;
        skip_rest(r);
        return err_set(err, ERR_LIMIT, "line %llu is longer than %zu bytes",
                       (unsigned long long)r->number, r->max_line);
    }
    if (nl == NULL && !(at_end && r->text.len > 0)) {
        r->scanned = r->text.len;
        return 0;
    }
    return 1;
}

static void swap(struct slot *a, struct slot *b)
{
    struct slot c = *a;

    *a = *b;
    *b = c;
}

static int hand_out(struct cast_reader *r, struct cast_line *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->header = r->out.header;
    ret->t_us = r->out.t_us;
    ret->kind = r->out.kind;
    if (r->out.header) {
        ret->json = (const char *)buf_data(&r->out.bytes);
        ret->json_len = r->out.bytes.len;
    } else {
        ret->bytes = buf_data(&r->out.bytes);
        ret->len = r->out.bytes.len;
    }
    return 1;
}

/* Parse the next line into fresh: 1; 0 no line; -1 (the line is passed over). */
static int next_line(struct cast_reader *r, bool at_end, struct error *err)
{
    size_t len, used;
    int rc;

    for (;;) {
        rc = find_line(r, at_end, &len, &used, err);
        if (rc <= 0) {
            return rc;
        }
        r->scanned = 0;
        if (len > 0) {
            rc = parse_line(r, buf_data(&r->text), len, err);
            buf_consume(&r->text, used);
            return rc == 0 ? 1 : -1;
        }
        r->number++;
        buf_consume(&r->text, used);
    }
}

int cast_reader_next(struct cast_reader *r, bool at_end, struct cast_line *ret, struct error *err)
{
    for (;;) {
        int rc = next_line(r, at_end, err);

        if (rc < 0) {
            return -1;
        }
        if (rc == 0) {
            if (!at_end || !r->have_held) {
                return 0;
            }
            r->have_held = false;
            swap(&r->held, &r->out);
            return hand_out(r, ret);
        }
        if (r->fresh.kind == 'b' && !r->fresh.header && r->have_held && !r->held.header) {
            buf_reset(&r->held.bytes);
            if (buf_append(&r->held.bytes, buf_data(&r->fresh.bytes), r->fresh.bytes.len, err) !=
                0) {
                return -1;
            }
            continue;
        }
        rc = r->have_held ? 1 : 0;
        swap(&r->held, &r->out);
        swap(&r->held, &r->fresh);
        r->have_held = true;
        if (rc == 1) {
            return hand_out(r, ret);
        }
    }
}
