/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify_say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json_write.h"
#include "common/log.h"

#define DRAW_EACH_US 100000
#define BAR          20
#define ORPHANS      20 /* that are named for people; --json names all */

/* ---- JSON ---- */

static int json_member(struct buf *b, const char *name, const char *value)
{
    if (value == NULL) {
        return 0;
    }
    return buf_printf(b, NULL, ",\"%s\":", name) != 0 || json_string(b, value, NULL) != 0 ? -1 : 0;
}

/* A member's name and a value to compare with: one word. */
static const char *json_word(enum verify_verdict v)
{
    return v == VERIFY_UNKNOWN_KEY  ? "unknown_key"
           : v == VERIFY_BACK_DATED ? "back_dated"
                                    : verify_word(v);
}

static int json_where(struct buf *b, const struct verify_line *l)
{
    if (json_member(b, "host", l->host) != 0 || json_member(b, "object", l->object) != 0 ||
        json_member(b, "trust", l->trust) != 0 || json_member(b, "key", l->key) != 0 ||
        (l->batch != 0 && buf_printf(b, NULL, ",\"batch\":%" PRId64, l->batch) != 0)) {
        return -1;
    }
    return l->has_segment ? buf_printf(b, NULL, ",\"segment\":%" PRId64 ",\"offset\":%" PRId64,
                                       l->segment, l->offset)
                          : 0;
}

static void say_json(const struct verify_line *l, const char *remedy)
{
    struct buf b;

    buf_init(&b, 1U << 20);
    if (buf_printf(&b, NULL, "{\"what\":\"%s\",\"verdict\":\"%s\",\"finding\":%s", l->what,
                   json_word(l->verdict), verify_is_finding(l->verdict) ? "true" : "false") == 0 &&
        json_member(&b, "id", l->id) == 0 && json_member(&b, "user", l->user) == 0 &&
        json_member(&b, "title", l->title) == 0 && json_member(&b, "detail", l->detail) == 0 &&
        json_where(&b, l) == 0 && json_member(&b, "remedy", remedy) == 0 &&
        buf_printf(&b, NULL,
                   ",\"started_us\":%" PRId64 ",\"segments\":%" PRId64 ",\"bytes\":%" PRId64 "}\n",
                   l->started_us, l->segments, l->bytes) == 0) {
        (void)fwrite(buf_data(&b), 1, b.len, stdout);
    }
    buf_clear(&b);
}

static void sum_json(const struct verify_sum *s)
{
    (void)printf("{\"what\":\"sum\",\"findings\":%" PRId64 ",\"hosts\":%" PRId64
                 ",\"batches\":%" PRId64 ",\"segments\":%" PRId64 ",\"bytes\":%" PRId64
                 ",\"orphans\":%" PRId64,
                 s->findings, s->hosts, s->batches, s->segments, s->bytes, s->orphans);
    for (int v = 0; v < VERIFY_VERDICTS; v++) {
        if (v != VERIFY_ORPHAN) { /* never a session's */
            (void)printf(",\"%s\":%" PRId64, json_word((enum verify_verdict)v), s->sessions[v]);
        }
    }
    (void)printf("}\n");
}

/* ---- for people ---- */

/* What stands in a recording or a bucket never reaches the terminal raw. */
static const char *printable(const char *text, char *out, size_t size)
{
    return text == NULL ? "" : log_escape(text, strlen(text), out, size);
}

static void say_text(const struct verify_line *l)
{
    char id[1024], user[256], title[256], detail[1024], object[1024], at[32] = "";

    if (l->started_us != 0) {
        clock_format_utc(l->started_us, " %Y-%m-%dT%H:%M:%SZ", at, sizeof at);
    }
    (void)printf("%-8s %s %s%s", verify_word(l->verdict), l->what, printable(l->id, id, sizeof id),
                 at);
    if (l->user != NULL && *l->user != '\0') {
        (void)printf(" %s", printable(l->user, user, sizeof user));
    }
    if (l->title != NULL && *l->title != '\0') {
        (void)printf(" \"%s\"", printable(l->title, title, sizeof title));
    }
    if (l->detail != NULL && *l->detail != '\0') {
        (void)printf(": %s", printable(l->detail, detail, sizeof detail));
    }
    if (l->has_segment && l->object != NULL) {
        (void)printf(" (batch %" PRId64 ", at byte %" PRId64 " of the pack of %s)", l->batch,
                     l->offset, printable(l->object, object, sizeof object));
    }
    (void)putchar('\n');
}

static void keep_remedy(struct verify_say *s, enum verify_verdict v, const char *remedy)
{
    for (size_t i = 0; remedy != NULL && i < sizeof s->remedies[v] / sizeof s->remedies[v][0];
         i++) {
        if (s->remedies[v][i] == NULL || s->remedies[v][i] == remedy) {
            s->remedies[v][i] = remedy;
            return;
        }
    }
}

void verify_say_line(void *user, const struct verify_line *l)
{
    struct verify_say *s = user;
    const char *remedy = verify_remedy(l, s->place);

    keep_remedy(s, l->verdict, remedy);
    if (s->quiet && !verify_is_finding(l->verdict)) {
        return;
    }
    if (!s->json && l->verdict == VERIFY_ORPHAN && s->orphans++ >= ORPHANS) {
        return;
    }
    verify_say_clear(s);
    if (s->json) {
        say_json(l, remedy);
    } else {
        say_text(l);
    }
}

static void say_counts(const struct verify_sum *s)
{
    const char *glue = "";

    for (int v = 0; v < VERIFY_VERDICTS; v++) {
        if (s->sessions[v] > 0) {
            (void)printf("%s%" PRId64 " %s", glue, s->sessions[v],
                         verify_word((enum verify_verdict)v));
            glue = ", ";
        }
    }
    (void)printf("%s", *glue == '\0' ? "no sessions" : "");
}

static void say_remedies(const struct verify_say *s)
{
    for (int v = 0; v < VERIFY_VERDICTS; v++) {
        for (size_t i = 0; i < 2 && s->remedies[v][i] != NULL; i++) {
            (void)printf("  %s: %s\n", verify_word((enum verify_verdict)v), s->remedies[v][i]);
        }
    }
}

static void say_number(const char *glue, int64_t n, const char *one, const char *many)
{
    (void)printf("%s%" PRId64 " %s", glue, n, n == 1 ? one : many);
}

void verify_say_sum(struct verify_say *s, const struct verify_sum *sum)
{
    verify_say_clear(s);
    if (s->json) {
        sum_json(sum);
        return;
    }
    if (s->orphans > ORPHANS) {
        (void)printf("%-8s and %zu more (--json names all)\n", verify_word(VERIFY_ORPHAN),
                     s->orphans - ORPHANS);
    }
    say_remedies(s);
    if (sum->since[0] != '\0') {
        (void)printf("nothing is of the days asked for; looked at: %s to %s\n", sum->since,
                     sum->until);
    }
    /* Nobody vouches for a file. */
    (void)printf("%s%s: ", sum->findings == 0 ? "" : "NOT ",
                 s->place != VERIFY_FILES ? "verified"
                 : sum->findings == 0     ? "read"
                                          : "readable");
    say_counts(sum);
    if (s->place != VERIFY_FILES) {
        say_number("; ", sum->segments, "segment", "segments");
    }
    say_number(s->place != VERIFY_FILES ? ", " : "; ", sum->bytes, "byte", "bytes");
    if (s->place == VERIFY_DIRECTORY || s->place == VERIFY_BUCKET) {
        say_number("; ", sum->batches, "batch", "batches");
        say_number(", ", sum->orphans, "orphan", "orphans");
    }
    say_number("; ", sum->findings, "finding", "findings");
    (void)putchar('\n');
}

/* ---- how far it is ---- */

void verify_say_clear(struct verify_say *s)
{
    if (s->drawn) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
        s->drawn = false;
    }
}

void verify_say_progress(void *user, const struct verify_progress *p)
{
    struct verify_say *s = user;
    uint64_t now = clock_boot_us();
    char bar[BAR + 1];

    if (!s->bar || (s->drawn && now - s->drawn_us < DRAW_EACH_US)) {
        return;
    }
    for (size_t i = 0; i < BAR; i++) {
        bar[i] = p->all > 0 && i < p->done * BAR / p->all ? '#' : '.';
    }
    bar[BAR] = '\0';
    if (p->all > 0) {
        (void)fprintf(stderr, "\r[%s] %s %zu of %zu, %" PRIu64 " MiB read\033[K", bar, p->doing,
                      p->done, p->all, p->bytes >> 20);
    } else {
        (void)fprintf(stderr, "\r%s %zu\033[K", p->doing, p->done);
    }
    (void)fflush(stderr);
    s->drawn = true;
    s->drawn_us = now;
}
