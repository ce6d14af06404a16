/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/io.h"
#include "replay/listing.h"
#include "storage/wire/facts.h"

struct words {
    struct buf *out;
    unsigned count;
    struct error *err;
};

static int member(struct buf *out, const char *key, const char *text, struct error *err)
{
    return buf_printf(out, err, ",\"%s\":", key) != 0 ? -1 : json_string(out, text, err);
}

static int number(struct buf *out, const char *key, int64_t n, struct error *err)
{
    return buf_printf(out, err, ",\"%s\":%" PRId64, key, n);
}

static int time_members(struct buf *out, const char *key, int64_t us, struct error *err)
{
    char text[40];

    if (us == 0) {
        return buf_printf(out, err, ",\"%s\":null,\"%s_us\":null", key, key);
    }
    clock_format_utc(us, "%Y-%m-%dT%H:%M:%SZ", text, sizeof text);
    return buf_printf(out, err, ",\"%s\":\"%s\",\"%s_us\":%" PRId64, key, text, key, us);
}

static int add_word(void *user, const struct json_item *item)
{
    struct words *w = user;

    if ((w->count++ > 0 && buf_putc(w->out, ',', w->err) != 0) ||
        json_string_n(w->out, item->value, item->value_len, w->err) != 0) {
        return 1;
    }
    return 0;
}

/* argv, written anew: what the database holds came from the recorded side. */
static int command_member(const struct listing *l, struct buf *out, const struct session_row *s,
                          struct error *err)
{
    struct words w = {.out = out, .err = err};
    struct error ignored;
    size_t before;

    if (s->command[0] == '\0') {
        return buf_puts(out, ",\"command\":null", err);
    }
    if (buf_puts(out, ",\"command\":", err) != 0) {
        return -1;
    }
    before = out->len;
    if (buf_putc(out, '[', err) != 0) {
        return -1;
    }
    int rc = json_each(l->json, s->command, strlen(s->command), "$", add_word, &w, &ignored);
    if (rc == 0) {
        return buf_putc(out, ']', err);
    }
    out->len = before;
    return rc > 0 ? -1 : json_string(out, s->command, err);
}

/* How many of the flags are alerts: those that marks `alert WORD` bring (docs/FORMAT.md, "Marks").
 */
static int64_t count_alerts(const char *flags)
{
    static const char *const alerts[] = {"blind-command", "no-echo-region"};
    int64_t count = 0;

    for (const char *p = flags + strspn(flags, " "); *p != '\0'; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");

        for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
            count += strlen(alerts[i]) == len && memcmp(p, alerts[i], len) == 0;
        }
        p += len;
    }
    return count;
}

static int flags_member(struct buf *out, const char *flags, struct error *err)
{
    unsigned count = 0;

    if (buf_puts(out, ",\"flags\":[", err) != 0) {
        return -1;
    }
    for (const char *p = flags + strspn(flags, " "); *p != '\0'; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");

        if ((count++ > 0 && buf_putc(out, ',', err) != 0) || json_string_n(out, p, len, err) != 0) {
            return -1;
        }
        p += len;
    }
    return buf_putc(out, ']', err);
}

static int facts_member(struct buf *out, const struct session_row *s, struct error *err)
{
    const uint8_t *value;
    struct facts facts;
    struct error ignored;
    size_t len, at = 0;
    unsigned count = 0;
    char key[65];

    if (buf_puts(out, ",\"facts\":{", err) != 0) {
        return -1;
    }
    if (facts_parse(buf_data(&s->facts), s->facts.len, &facts, &ignored) == 0) {
        while (facts_next(&facts, &at, key, &value, &len)) {
            if ((count++ > 0 && buf_putc(out, ',', err) != 0) || json_string(out, key, err) != 0 ||
                buf_putc(out, ':', err) != 0 || json_string_n(out, value, len, err) != 0) {
                return -1;
            }
        }
    }
    return buf_putc(out, '}', err);
}

static int fact_member(struct buf *out, const char *key, const struct facts *f, const char *fact,
                       struct error *err)
{
    const uint8_t *value;
    size_t len;

    return !facts_get(f, fact, &value, &len)            ? 0
           : buf_printf(out, err, ",\"%s\":", key) != 0 ? -1
                                                        : json_string_n(out, value, len, err);
}

/* How somebody came in: the recorder's word, then what the witness knows. */
static int way_members(struct buf *out, const struct session_row *s, struct error *err)
{
    char address[128], port[16], from[160];
    struct error ignored;
    struct facts f;

    if (facts_parse(buf_data(&s->facts), s->facts.len, &f, &ignored) != 0) {
        return 0;
    }
    facts_text(&f, "conn.address", address, sizeof address);
    facts_text(&f, "conn.port", port, sizeof port);
    if (strchr(address, ':') != NULL) {
        (void)snprintf(from, sizeof from, "[%s]:%s", address, port);
    } else {
        (void)snprintf(from, sizeof from, "%s:%s", address, port);
    }
    return fact_member(out, "way_in", &f, "way_in", err) != 0 ||
                   fact_member(out, "key", &f, "conn.key", err) != 0 ||
                   (address[0] != '\0' && member(out, "from", from, err) != 0)
               ? -1
               : 0;
}

/* C1 controls are legal in JSON, and read by terminals: written as \u0080 to \u009f. */
static int copy_without_c1(struct buf *out, const uint8_t *p, size_t len, struct error *err)
{
    size_t from = 0;

    for (size_t i = 0; i + 1 < len; i++) {
        if (p[i] != 0xc2 || p[i + 1] >= 0xa0) {
            continue;
        }
        if (buf_append(out, p + from, i - from, err) != 0 ||
            buf_printf(out, err, "\\u00%02x", p[i + 1]) != 0) {
            return -1;
        }
        from = i + 2;
        i++;
    }
    return buf_append(out, p + from, len - from, err);
}

static int members(const struct listing *l, struct buf *out, const struct session_row *s,
                   struct error *err)
{
    char id[2 * CHAIN_ID + 1], epoch[2 * CHAIN_ID + 1], head[2 * CHAIN_HASH + 1];

    if (buf_printf(out, err, "{\"id\":\"%s\",\"epoch\":\"%s\"", io_hex(s->id, CHAIN_ID, id),
                   io_hex(s->epoch, CHAIN_ID, epoch)) != 0 ||
        member(out, "host", s->host, err) != 0 || member(out, "kind", s->kind, err) != 0 ||
        member(out, "user", s->user, err) != 0 || number(out, "uid", s->uid, err) != 0 ||
        member(out, "tty", s->tty, err) != 0 || member(out, "title", s->title, err) != 0 ||
        command_member(l, out, s, err) != 0 ||
        member(out, "state", session_state_name(s->state), err) != 0 ||
        member(out, "exit", s->exit, err) != 0 || flags_member(out, s->flags, err) != 0 ||
        number(out, "cols", s->cols, err) != 0 || number(out, "rows", s->rows, err) != 0 ||
        time_members(out, "started", s->started_us, err) != 0 ||
        time_members(out, "ended", s->ended_us, err) != 0) {
        return -1;
    }
    if (number(out, "segments", s->segments, err) != 0 ||
        buf_printf(out, err, ",\"final\":%s", s->final ? "true" : "false") != 0 ||
        number(out, "shipped", s->shipped, err) != 0 ||
        number(out, "events", s->events, err) != 0 ||
        number(out, "bytes_out", s->bytes_out, err) != 0 ||
        number(out, "bytes_in", s->bytes_in, err) != 0 ||
        number(out, "redactions", s->redactions, err) != 0 ||
        number(out, "alerts", count_alerts(s->flags), err) != 0 ||
        member(out, "head", io_hex(s->head, CHAIN_HASH, head), err) != 0 ||
        way_members(out, s, err) != 0) {
        return -1;
    }
    return facts_member(out, s, err) != 0 ? -1 : buf_puts(out, "}\n", err);
}

int listing_json(const struct listing *l, struct buf *out, const struct session_row *s,
                 struct error *err)
{
    struct buf line;
    int result;

    buf_init(&line, out->max);
    result = members(l, &line, s, err);
    if (result == 0) {
        result = copy_without_c1(out, buf_data(&line), line.len, err);
    }
    buf_clear(&line);
    return result;
}
