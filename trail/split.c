/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/split.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Of 64 bytes, one bit each. */
struct masks {
    uint64_t quote, escape, open, close; /* '"', '\\', '{' or '[', '}' or ']' */
};

#ifdef __SSE2__
static struct masks masks_of(const unsigned char *p)
{
    struct masks m = {0};
    const __m128i low = _mm_set1_epi8(0x20);

    for (unsigned i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i * 16));
        __m128i b =
            _mm_or_si128(v, low); /* '[' and '{' differ in this bit alone, and so do ']' '}' */
        unsigned q = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        unsigned e = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        unsigned o = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(b, _mm_set1_epi8('{')));
        unsigned c = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(b, _mm_set1_epi8('}')));

        m.quote |= (uint64_t)q << (i * 16);
        m.escape |= (uint64_t)e << (i * 16);
        m.open |= (uint64_t)o << (i * 16);
        m.close |= (uint64_t)c << (i * 16);
    }
    return m;
}
#else
static struct masks masks_of(const unsigned char *p)
{
    struct masks m = {0};

    for (unsigned i = 0; i < 64; i++) {
        m.quote |= (uint64_t)(p[i] == '"') << i;
        m.escape |= (uint64_t)(p[i] == '\\') << i;
        m.open |= (uint64_t)((p[i] | 0x20) == '{') << i;
        m.close |= (uint64_t)((p[i] | 0x20) == '}') << i;
    }
    return m;
}
#endif

/* The bits that lie in strings (their closing quotes do not). */
static uint64_t strings_of(struct split *s, const struct masks *m, unsigned n)
{
    uint64_t quote = m->quote, x;

    if (m->escape != 0 || s->escaped) {
        bool escaped = s->escaped;

        /* Backslashes are rare: one after the other, each takes the byte behind it. */
        for (unsigned i = 0; i < n; i++) {
            if (escaped) {
                quote &= ~(UINT64_C(1) << i);
                escaped = false;
            } else {
                escaped = (m->escape >> i & 1) != 0;
            }
        }
        s->escaped = escaped;
    }
    for (x = quote, n = 1; n < 64; n *= 2) { /* parity of the quotes so far */
        x ^= x << n;
    }
    x ^= s->in_string ? ~UINT64_C(0) : 0;
    s->in_string = x >> 63 != 0;
    return x;
}

void split_begin(struct split *s, const struct needles *wanted, split_fn *cb, void *user)
{
    *s = (struct split){.wanted = wanted, .cb = cb, .user = user};
    buf_init(&s->kept, SPLIT_MAX + 64);
}

/* Keep what was read of the record so far, unless it is too long. */
static int keep(struct split *s, const char *from, const char *to, struct error *err)
{
    if (!s->skipping && s->kept.len + (size_t)(to - from) > SPLIT_MAX) {
        s->skipping = true;
        s->too_long++;
    }
    return s->skipping ? 0 : buf_append(&s->kept, from, (size_t)(to - from), err);
}

static int hand_out(struct split *s, const char *from, const char *to, struct error *err)
{
    const char *text = from;
    size_t len = (size_t)(to - from);
    int rc = 0;

    s->records++;
    if (s->kept.len > 0 || s->skipping || len > SPLIT_MAX) {
        if (keep(s, from, to, err) != 0) {
            return -1;
        }
        text = (const char *)buf_data(&s->kept);
        len = s->kept.len;
    }
    if (!s->skipping && (s->wanted == NULL || needles_any(s->wanted, text, len))) {
        rc = s->cb(s->user, text, len);
    }
    s->skipping = false;
    buf_reset(&s->kept);
    return rc;
}

/* Whether the text of an object so far, up to an opening bracket, ends with "Records" and a colon.
 */
static bool ends_with_name(const char *from, const char *to)
{
    static const char name[] = "\"Records\"";
    bool colon = false;

    for (; to > from && strchr(" \t\r\n:", to[-1]) != NULL && to[-1] != '\0'; to--) {
        colon = colon || to[-1] == ':';
    }
    return colon && (size_t)(to - from) >= sizeof name - 1 &&
           memcmp(to - (sizeof name - 1), name, sizeof name - 1) == 0;
}

/* An opening bracket at ${at}, within an object at the top that may turn out to be a log file. */
static int look_for_list(struct split *s, const char *from, const char *at, struct error *err)
{
    if (s->skipping || *at != '[' || (s->kept.len > 0 && keep(s, from, at, err) != 0)) {
        return s->skipping || *at != '[' ? 0 : -1;
    }
    if (s->kept.len > 0) {
        from = (const char *)buf_data(&s->kept);
        at = from + s->kept.len;
    }
    if (!ends_with_name(from, at)) {
        return s->kept.len > 0 ? 1 : 0; /* what was kept reaches to ${at} */
    }
    buf_reset(&s->kept);
    s->in_list = true;
    s->in_record = false;
    s->base = 2;
    return 0;
}

/* One bracket outside of strings; ${from}: where the record began, or the piece. */
static int bracket(struct split *s, const char **from, const char *at, bool open, struct error *err)
{
    int rc = 0;

    if (open) {
        if (s->depth == 0 && !s->begun) {
            s->begun = true;
            s->base = *at == '[' ? 1 : 0;
        }
        if (s->depth == 1 && s->in_record && s->base == 0) {
            rc = look_for_list(s, *from, at, err);
            *from = rc == 1 ? at : *from;
        } else if (s->depth == s->base && !s->in_record) {
            s->in_record = true;
            *from = at;
        }
        s->depth++;
        return rc < 0 ? -1 : 0;
    }
    if (s->depth == 0) {
        return err_set(err, ERR_CORRUPT, "not JSON: more is closed than was opened");
    }
    s->depth--;
    if (s->in_record && s->depth == s->base) {
        s->in_record = false;
        rc = hand_out(s, *from, at + 1, err);
    } else if (s->in_list && s->depth == 1) {
        s->base = UINT64_MAX; /* nothing more is wanted of this object */
    } else if (s->depth == 0 && s->in_list) {
        s->in_list = false;
        s->base = 0;
    }
    return rc;
}

static int block(struct split *s, const char *p, unsigned n, const char **from, struct error *err)
{
    unsigned char last[64];
    struct masks m;
    uint64_t brackets;
    int rc = 0;

    if (n < 64) { /* blanks change nothing, but a backslash waits for the next piece's byte */
        memset(last, ' ', sizeof last);
        memcpy(last, p, n);
        m = masks_of(last);
    } else {
        m = masks_of((const unsigned char *)p);
    }
    brackets = (m.open | m.close) & ~strings_of(s, &m, n);
    while (rc == 0 && brackets != 0) {
        unsigned i = (unsigned)__builtin_ctzll(brackets);

        rc = bracket(s, from, p + i, (m.open >> i & 1) != 0, err);
        brackets &= brackets - 1;
    }
    return rc;
}

/* The first byte that says something must open: after a mark of byte order, which some tools leave.
 */
static int check_start(struct split *s, const char *p, size_t len, struct error *err)
{
    size_t i = 0;

    while (i < len && p[i] != '\0' && strchr(" \t\r\n\xef\xbb\xbf", p[i]) != NULL) {
        i++;
    }
    if (i == len || p[i] == '{' || p[i] == '[' || s->begun) {
        return 0;
    }
    return err_set(err, ERR_CORRUPT, "not JSON");
}

int split_feed(struct split *s, const void *bytes, size_t len, struct error *err)
{
    const char *p = bytes, *from = p, *end = p + len;
    int rc = s->begun ? 0 : check_start(s, p, len, err);

    for (; rc == 0 && p < end; p += 64) {
        rc = block(s, p, end - p < 64 ? (unsigned)(end - p) : 64U, &from, err);
    }
    if (rc == 0 && s->in_record) {
        rc = keep(s, from, end, err);
    }
    return rc;
}

int split_end(struct split *s, struct error *err)
{
    buf_clear(&s->kept);
    if (s->depth != 0 || s->in_string) {
        return err_set(err, ERR_CORRUPT, "truncated: it ends within its JSON");
    }
    return s->begun ? 0 : err_set(err, ERR_CORRUPT, "not JSON: empty");
}
