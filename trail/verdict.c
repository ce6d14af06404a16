/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"

static const char *const grades[] = {"none", "ambiguous", "weak", "strong", "exact"};
static const char *const digests[] = {"none", "pending", "verified", "failed"};

const char *verdict_grade_word(enum verdict_grade g)
{
    return grades[g];
}

const char *verdict_digest_word(enum verdict_digest d)
{
    return digests[d];
}

/* The texts of a verdict, with their names in JSON. */
#define TEXT(name)                                                                                 \
    {                                                                                              \
#name, offsetof(struct verdict, name), sizeof(((struct verdict *)0)->name)                 \
    }
static const struct {
    const char *name;
    size_t at, size;
} texts[] = {TEXT(rule),     TEXT(way),        TEXT(principal),       TEXT(role),
             TEXT(arn),      TEXT(person_arn), TEXT(source_identity), TEXT(mfa),
             TEXT(address),  TEXT(event),      TEXT(event_name),      TEXT(object),
             TEXT(ended_by), TEXT(reasons)};
#define TEXTS (sizeof texts / sizeof texts[0])

/* ---- writing ---- */

static int put_candidate(const struct verdict_candidate *c, struct buf *out, struct error *err)
{
    return buf_puts(out, "{\"event\":", err) != 0 || json_string(out, c->event, err) != 0 ||
                   buf_puts(out, ",\"principal\":", err) != 0 ||
                   json_string(out, c->principal, err) != 0 ||
                   buf_puts(out, ",\"arn\":", err) != 0 || json_string(out, c->arn, err) != 0 ||
                   buf_printf(out, err, ",\"time_us\":%" PRId64 ",\"address\":", c->time_us) != 0 ||
                   json_string(out, c->address, err) != 0
               ? -1
               : buf_putc(out, '}', err);
}

int verdict_json(const struct verdict *v, struct buf *out, struct error *err)
{
    char id[33], sha[65];

    if (buf_printf(out, err,
                   "{\"subject\":\"%s\",\"revision\":%" PRId64 ",\"decided_us\":%" PRId64
                   ",\"grade\":\"%s\",\"digest\":\"%s\",\"event_us\":%" PRId64
                   ",\"record_sha256\":\"%s\"",
                   io_hex(v->subject, 16, id), v->revision, v->decided_us, grades[v->grade],
                   digests[v->digest], v->event_us, io_hex(v->record_sha256, 32, sha)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < TEXTS; i++) {
        if (buf_printf(out, err, ",\"%s\":", texts[i].name) != 0 ||
            json_string(out, (const char *)v + texts[i].at, err) != 0) {
            return -1;
        }
    }
    if (buf_puts(out, ",\"candidates\":[", err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < v->candidates && i < VERDICT_CANDIDATES; i++) {
        if ((i > 0 && buf_putc(out, ',', err) != 0) ||
            put_candidate(&v->candidate[i], out, err) != 0) {
            return -1;
        }
    }
    return buf_puts(out, "]}", err);
}

/* ---- reading ---- */

struct doc {
    struct json *j;
    const char *text;
    size_t len;
    struct error *err;
};

static int take_text(const struct doc *d, const char *name, char *ret, size_t size)
{
    char path[64];
    struct buf b;
    int rc;

    (void)snprintf(path, sizeof path, "$.%s", name);
    buf_init(&b, size);
    rc = json_text(d->j, d->text, d->len, path, &b, d->err);
    if (rc >= 0 && (b.len >= size || memchr(buf_data(&b), '\0', b.len) != NULL)) {
        rc = err_set(d->err, ERR_CORRUPT, "a verdict's %s is too long", name);
    }
    if (rc >= 0) {
        memcpy(ret, b.len > 0 ? (const char *)buf_data(&b) : "", b.len);
        ret[b.len] = '\0';
    }
    buf_clear(&b);
    return rc < 0 ? -1 : 0;
}

static int take_word(const struct doc *d, const char *name, const char *const *words, int n,
                     int *ret)
{
    char text[16];

    if (take_text(d, name, text, sizeof text) != 0) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], text) == 0) {
            *ret = i;
            return 0;
        }
    }
    return err_set(d->err, ERR_CORRUPT, "a verdict's %s is no word of ours", name);
}

static int take_hex(const struct doc *d, const char *name, uint8_t *ret, size_t len)
{
    char hex[65];

    if (take_text(d, name, hex, sizeof hex) != 0) {
        return -1;
    }
    return strlen(hex) == 2 * len && io_unhex(hex, ret, len) == 0
               ? 0
               : err_set(d->err, ERR_CORRUPT, "a verdict's %s is no hash", name);
}

static int take_int(const struct doc *d, const char *name, int64_t *ret)
{
    char path[64];

    (void)snprintf(path, sizeof path, "$.%s", name);
    return json_int(d->j, d->text, d->len, path, ret, d->err) < 0 ? -1 : 0;
}

struct candidates {
    const struct doc *d;
    struct verdict *v;
};

static int on_candidate(void *user, const struct json_item *item)
{
    struct candidates *c = user;
    const struct doc d = {c->d->j, item->value, item->value_len, c->d->err};
    struct verdict_candidate *to = &c->v->candidate[c->v->candidates];

    if (strcmp(item->type, "object") != 0 || c->v->candidates == VERDICT_CANDIDATES) {
        return err_set(d.err, ERR_CORRUPT, "a verdict's candidates are none");
    }
    c->v->candidates++;
    return take_text(&d, "event", to->event, sizeof to->event) != 0 ||
                   take_text(&d, "principal", to->principal, sizeof to->principal) != 0 ||
                   take_text(&d, "arn", to->arn, sizeof to->arn) != 0 ||
                   take_int(&d, "time_us", &to->time_us) != 0 ||
                   take_text(&d, "address", to->address, sizeof to->address) != 0
               ? -1
               : 0;
}

int verdict_parse(struct json *j, const char *text, size_t len, struct verdict *ret,
                  struct error *err)
{
    const struct doc d = {j, text, len, err};
    struct candidates c = {&d, ret};
    int grade = 0, digest = 0;

    memset(ret, 0, sizeof *ret);
    if (take_hex(&d, "subject", ret->subject, 16) != 0 ||
        take_hex(&d, "record_sha256", ret->record_sha256, 32) != 0 ||
        take_int(&d, "revision", &ret->revision) != 0 ||
        take_int(&d, "decided_us", &ret->decided_us) != 0 ||
        take_int(&d, "event_us", &ret->event_us) != 0 ||
        take_word(&d, "grade", grades, VERDICT_EXACT + 1, &grade) != 0 ||
        take_word(&d, "digest", digests, DIGEST_FAILED + 1, &digest) != 0) {
        return -1;
    }
    ret->grade = (enum verdict_grade)grade;
    ret->digest = (enum verdict_digest)digest;
    for (size_t i = 0; i < TEXTS; i++) {
        if (take_text(&d, texts[i].name, (char *)ret + texts[i].at, texts[i].size) != 0) {
            return -1;
        }
    }
    return json_each(j, text, len, "$.candidates", on_candidate, &c, err);
}

bool verdict_same(const struct verdict *a, const struct verdict *b)
{
    if (a->grade != b->grade || a->digest != b->digest || a->candidates != b->candidates ||
        strcmp(a->rule, b->rule) != 0 || strcmp(a->principal, b->principal) != 0 ||
        strcmp(a->arn, b->arn) != 0 || strcmp(a->event, b->event) != 0 ||
        strcmp(a->ended_by, b->ended_by) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->candidates; i++) {
        if (strcmp(a->candidate[i].event, b->candidate[i].event) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- in words ---- */

static int nobody(const struct verdict *v, struct buf *out, struct error *err)
{
    if (v->grade == VERDICT_AMBIGUOUS) {
        if (buf_printf(out, err, "one of %zu", v->candidates) != 0) {
            return -1;
        }
        for (size_t i = 0; i < v->candidates; i++) {
            if (buf_printf(out, err, "%s %s", i == 0 ? ":" : " or", v->candidate[i].principal) !=
                0) {
                return -1;
            }
        }
        return buf_printf(out, err, "%s%s, ambiguous%s%s", v->way[0] != '\0' ? ", by " : "", v->way,
                          v->reasons[0] != '\0' ? ": " : "", v->reasons);
    }
    return buf_printf(out, err, "%s%s%s",
                      strcmp(v->rule, "local") == 0
                          ? "somebody of this host, whom AWS does not know"
                          : "nobody that CloudTrail knows",
                      v->reasons[0] != '\0' ? ": " : "", v->reasons);
}

int verdict_sentence(const struct verdict *v, struct buf *out, struct error *err)
{
    static const char *const files[] = {"", ", log file not verified yet", ", verified log file",
                                        ", log file that fails its digest"};

    if (v->grade == VERDICT_AMBIGUOUS || v->grade == VERDICT_NONE) {
        return nobody(v, out, err);
    }
    if (buf_puts(out, v->principal, err) != 0 ||
        (v->role[0] != '\0' && buf_printf(out, err, ", through role %s", v->role) != 0) ||
        (strcmp(v->mfa, "true") == 0 && buf_puts(out, " with MFA", err) != 0) ||
        (v->way[0] != '\0' && buf_printf(out, err, ", by %s", v->way) != 0) ||
        (v->address[0] != '\0' && buf_printf(out, err, " from %s", v->address) != 0)) {
        return -1;
    }
    return buf_printf(out, err, ", %s%s%s%s", grades[v->grade], v->reasons[0] != '\0' ? ": " : "",
                      v->reasons, v->event[0] != '\0' ? files[v->digest] : "");
}
