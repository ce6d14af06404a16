/* SPDX-License-Identifier: Apache-2.0 */
/* A session as a line of CSV (RFC 4180), for spreadsheets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "replay/listing.h"
#include "storage/wire/facts.h"

static const char *const columns[] = {"id",   "began", "ended",      "seconds", "user",   "host",
                                      "tty",  "kind",  "way",        "ip",      "key",    "state",
                                      "exit", "flags", "redactions", "title",   "command"};

int listing_csv_head(struct buf *out, struct error *err)
{
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (buf_printf(out, err, "%s%s", i > 0 ? "," : "", columns[i]) != 0) {
            return -1;
        }
    }
    return buf_puts(out, "\r\n", err);
}

/* Quoted whenever it could mean anything else.  What a spreadsheet would take for a formula gets an
 * apostrophe in front: titles and commands are the recorded side's. */
static int cell(struct buf *out, const char *text, bool first, struct error *err)
{
    bool formula = *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
    char line[8192];

    if (!first && buf_putc(out, ',', err) != 0) {
        return -1;
    }
    (void)log_escape(text, strnlen(text, 2048), line, sizeof line);
    if (!formula && strpbrk(line, ",\" ") == NULL) {
        return buf_puts(out, line, err);
    }
    if (buf_puts(out, formula ? "\"'" : "\"", err) != 0) {
        return -1;
    }
    for (const char *p = line; *p != '\0'; p++) {
        if ((*p == '"' && buf_putc(out, '"', err) != 0) || buf_putc(out, *p, err) != 0) {
            return -1;
        }
    }
    return buf_putc(out, '"', err);
}

static void time_text(int64_t us, char *ret, size_t size)
{
    ret[0] = '\0';
    if (us > 0) {
        clock_format_utc(us, "%Y-%m-%dT%H:%M:%SZ", ret, size);
    }
}

int listing_csv(const struct listing *l, struct buf *out, const struct session_row *s,
                struct error *err)
{
    const struct facts f = {.bytes = buf_data(&s->facts), .len = s->facts.len};
    char id[2 * CHAIN_ID + 1], began[40], ended[40], seconds[24], way[64], ip[64], key[128], n[24];
    int64_t until = s->ended_us > 0 ? s->ended_us : l->now_us;

    time_text(s->started_us, began, sizeof began);
    time_text(s->ended_us, ended, sizeof ended);
    (void)snprintf(seconds, sizeof seconds, "%" PRId64, (until - s->started_us) / 1000000);
    (void)snprintf(n, sizeof n, "%" PRId64, s->redactions);
    (void)facts_text(&f, "way_in", way, sizeof way);
    (void)facts_text(&f, "conn.address", ip, sizeof ip);
    (void)facts_text(&f, "conn.key", key, sizeof key);
    const char *const cells[] = {io_hex(s->id, CHAIN_ID, id),
                                 began,
                                 ended,
                                 seconds,
                                 s->user,
                                 s->host,
                                 s->tty,
                                 s->kind,
                                 way,
                                 ip,
                                 key,
                                 session_state_name(s->state),
                                 s->exit,
                                 s->flags,
                                 n,
                                 s->title,
                                 s->command};
    _Static_assert(sizeof cells / sizeof cells[0] == sizeof columns / sizeof columns[0], "columns");

    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        if (cell(out, cells[i], i == 0, err) != 0) {
            return -1;
        }
    }
    return buf_puts(out, "\r\n", err);
}
