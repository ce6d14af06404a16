/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/io.h"
#include "common/log.h"
#include "common/utf8.h"

#define CELL      1024U
#define MIN_TITLE 8U

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, CHAIN_ID);
}

size_t listing_id_digits(uint8_t (*ids)[CHAIN_ID], size_t count)
{
    size_t digits = LISTING_MIN_ID;

    if (count > 1) {
        qsort(ids, count, CHAIN_ID, compare_ids);
    }
    for (size_t i = 1; i < count; i++) {
        char a[2 * CHAIN_ID + 1], b[2 * CHAIN_ID + 1];
        size_t same = 0;

        (void)io_hex(ids[i - 1], CHAIN_ID, a);
        (void)io_hex(ids[i], CHAIN_ID, b);
        while (same < 2 * CHAIN_ID && a[same] == b[same]) {
            same++;
        }
        if (same < 2 * CHAIN_ID && same + 1 > digits) {
            digits = same + 1;
        }
    }
    return digits;
}

size_t listing_width(const char *text, size_t len)
{
    size_t width = 0;

    for (size_t i = 0; i < len; i++) {
        width += ((uint8_t)text[i] & 0xc0) != 0x80; /* not a continuation byte */
    }
    return width;
}

/* Append ${text}, at most ${width} columns of it ('>' stands for what is cut), filled up if
 * ${fill}. */
static int put_cell(struct buf *out, const char *text, size_t width, bool fill, struct error *err)
{
    size_t len = strlen(text), have = listing_width(text, len), used = 0, columns = 0;

    if (have > width) {
        while (columns + 1 < width) {
            int n = utf8_length((const uint8_t *)text + used, len - used);

            used += n > 0 ? (size_t)n : 1;
            columns++;
        }
        return buf_printf(out, err, "%.*s%s", (int)used, text, width > 0 ? ">" : "");
    }
    return buf_printf(out, err, "%s%*s", text, fill ? (int)(width - have) : 0, "");
}

static void started_text(const struct session_row *s, char *ret, size_t size)
{
    time_t seconds = (time_t)(s->started_us / 1000000);
    struct tm tm;

    if (localtime_r(&seconds, &tm) == NULL || strftime(ret, size, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        (void)snprintf(ret, size, "?");
    }
}

static int64_t duration_us(const struct listing *l, const struct session_row *s)
{
    int64_t end = s->ended_us, us = 0;

    if (end == 0) {
        end = s->state == SESSION_OPEN ? l->now_us
                                       : (int64_t)((uint64_t)s->started_us + s->last_t_us);
    }
    /* Both come from the database, which may say anything. */
    return end > s->started_us && !__builtin_sub_overflow(end, s->started_us, &us) ? us : 0;
}

static void duration_text(int64_t us, char *ret, size_t size)
{
    long long s = us / 1000000;

    if (s >= 86400) {
        (void)snprintf(ret, size, "%lldd%02lldh%02lldm", s / 86400, s / 3600 % 24, s / 60 % 60);
    } else {
        (void)snprintf(ret, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    }
}

static int add_word(void *user, const struct json_item *item)
{
    struct buf *words = user;
    struct error ignored;

    if (words->len > 0 && buf_putc(words, ' ', &ignored) != 0) {
        return 1;
    }
    return buf_append(words, item->value, item->value_len, &ignored) !=
           0; /* cut: it is long enough */
}

/* The title, else the command's words, else "-". */
static int what_text(const struct listing *l, const struct session_row *s, char *ret, size_t size,
                     struct error *err)
{
    struct buf words;
    struct error ignored;

    if (s->title[0] != '\0') {
        (void)log_escape(s->title, strlen(s->title), ret, size);
        return 0;
    }
    buf_init(&words, CELL);
    if (json_each(l->json, s->command, strlen(s->command), "$", add_word, &words, &ignored) < 0) {
        buf_reset(&words); /* as it is, then */
        if (buf_append(&words, s->command, strnlen(s->command, CELL), err) != 0) {
            buf_clear(&words);
            return -1;
        }
    }
    (void)log_escape((const char *)buf_data(&words), words.len, ret, size);
    buf_clear(&words);
    if (ret[0] == '\0') {
        (void)snprintf(ret, size, "-");
    }
    return 0;
}

/* Columns before the flags. */
static size_t fixed_width(const struct listing *l)
{
    return l->id_digits + 1 + 19 + 1 + 9 + 1 + 5 + 1 + 9 + 1 + l->user_width + 1;
}

/* The title gives way to the flags, which are short and matter. */
static size_t flags_width(const struct listing *l)
{
    size_t fixed = fixed_width(l), room = l->width > fixed ? l->width - fixed : 0;

    if (l->width == 0 || l->flags_width + 1 + MIN_TITLE <= room) {
        return l->flags_width;
    }
    return room > MIN_TITLE ? room - MIN_TITLE - 1 : 0;
}

static size_t title_width(const struct listing *l)
{
    size_t before = fixed_width(l) + flags_width(l) + 1;

    return l->width == 0 ? 4 * CELL : l->width > before ? l->width - before : 0;
}

int listing_head(const struct listing *l, struct buf *out, struct error *err)
{
    if (buf_printf(out, err, "%-*s %-19s %9s %-5s %-9s %-*s ", (int)l->id_digits, "ID", "STARTED",
                   "DURATION", "STATE", "EXIT", (int)l->user_width, "USER") != 0 ||
        put_cell(out, "FLAGS", flags_width(l), true, err) != 0 || buf_putc(out, ' ', err) != 0 ||
        put_cell(out, "TITLE OR COMMAND", title_width(l), false, err) != 0) {
        return -1;
    }
    return buf_putc(out, '\n', err);
}

size_t listing_flags(const struct session_row *s, char *ret, size_t size)
{
    (void)log_escape(s->flags[0] == '\0' ? "-" : s->flags,
                     strlen(s->flags[0] == '\0' ? "-" : s->flags), ret, size);
    for (char *p = ret; *p != '\0'; p++) {
        *p = *p == ' ' ? ',' : *p;
    }
    return listing_width(ret, strlen(ret));
}

int listing_row(const struct listing *l, struct buf *out, const struct session_row *s,
                struct error *err)
{
    char id[2 * CHAIN_ID + 1], started[32], duration[32], user[CELL], what[2 * CELL], flags[CELL],
        end[64];

    started_text(s, started, sizeof started);
    duration_text(duration_us(l, s), duration, sizeof duration);
    (void)log_escape(s->user, strlen(s->user), user, sizeof user);
    (void)log_escape(s->exit[0] == '\0' ? "-" : s->exit, strlen(s->exit[0] == '\0' ? "-" : s->exit),
                     end, sizeof end);
    (void)listing_flags(s, flags, sizeof flags);
    if (what_text(l, s, what, sizeof what, err) != 0) {
        return -1;
    }
    if (buf_printf(out, err, "%.*s %-19s %9s %-5s ", (int)l->id_digits, io_hex(s->id, CHAIN_ID, id),
                   started, duration, session_state_name(s->state)) != 0 ||
        put_cell(out, end, 9, true, err) != 0 || buf_putc(out, ' ', err) != 0 ||
        put_cell(out, user, l->user_width, true, err) != 0 || buf_putc(out, ' ', err) != 0 ||
        put_cell(out, flags, flags_width(l), true, err) != 0 || buf_putc(out, ' ', err) != 0 ||
        put_cell(out, what, title_width(l), false, err) != 0) {
        return -1;
    }
    return buf_putc(out, '\n', err);
}
