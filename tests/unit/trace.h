/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of real programs: what passed a relay in both directions, when, and under which modes
 * (NAME.trace: lines "i SECONDS HEX BEFORE AFTER", "o SECONDS HEX", "m SECONDS FLAGS", flags in
 * octal), and what the typist meant (NAME.sent: JSON, items of time, kind and bytes, and the
 * secrets).  Every typed byte gets a time of its own kind, so that a release can be told by it.
 */
#ifndef TTYTRAIL_TESTS_UNIT_TRACE_H
#define TTYTRAIL_TESTS_UNIT_TRACE_H

#include <ctype.h>
#include <fcntl.h>

#include "check.h"
#include "common/io.h"
#include "common/json.h"

#define TRACE_EVENTS  4096
#define TRACE_TYPED   8192
#define TRACE_SECRETS 16

struct trace_event {
    char dir; /* 'i', 'o', 'm' */
    uint64_t t_us;
    uint8_t *bytes;
    size_t len;
    unsigned before, after; /* kernel's flags; of 'm': after */
    size_t first;           /* 'i': number of its first typed byte */
};

struct trace {
    char name[80];
    struct trace_event events[TRACE_EVENTS];
    size_t n_events;
    char kinds[TRACE_TYPED]; /* of each typed byte: t text, k keys, s secret, c control, r reply */
    uint8_t typed[TRACE_TYPED];
    size_t n_typed, labelled;
    char secrets[TRACE_SECRETS][512];
    size_t n_secrets;
};

static int trace_hex(int c)
{
    return isdigit(c) ? c - '0' : c - 'a' + 10;
}

static size_t trace_decode(const char *hex, uint8_t **ret)
{
    size_t n = strspn(hex, "0123456789abcdef") / 2;

    *ret = malloc(n + 1);
    assert_non_null(*ret);
    for (size_t i = 0; i < n; i++) {
        (*ret)[i] = (uint8_t)(trace_hex(hex[2 * i]) << 4 | trace_hex(hex[2 * i + 1]));
    }
    return n;
}

static uint64_t trace_time(const char *s)
{
    char *dot;
    uint64_t us = strtoull(s, &dot, 10) * 1000000U, scale = 100000;

    for (dot++; isdigit((unsigned char)*dot) && scale > 0; dot++, scale /= 10) {
        us += (uint64_t)(*dot - '0') * scale;
    }
    return us;
}

static void trace_line(struct trace *t, char *line)
{
    char *words[5] = {0};
    size_t n = 0;
    struct trace_event *e = &t->events[t->n_events];

    for (char *w = strtok_r(line, " ", &line); w != NULL && n < 5; w = strtok_r(NULL, " ", &line)) {
        words[n++] = w;
    }
    if (n < 3 || strchr("iom", words[0][0]) == NULL) {
        return;
    }
    assert_true(t->n_events < TRACE_EVENTS);
    memset(e, 0, sizeof *e);
    e->dir = words[0][0];
    e->t_us = trace_time(words[1]);
    if (e->dir == 'm') {
        e->after = (unsigned)strtoul(words[2], NULL, 8);
    } else {
        e->len = trace_decode(words[2], &e->bytes);
    }
    if (e->dir == 'i') {
        assert_int_equal(n, 5);
        e->before = (unsigned)strtoul(words[3], NULL, 8);
        e->after = (unsigned)strtoul(words[4], NULL, 8);
        e->first = t->n_typed;
        assert_true(t->n_typed + e->len <= TRACE_TYPED);
        memcpy(t->typed + t->n_typed, e->bytes, e->len);
        t->n_typed += e->len;
    }
    t->n_events++;
}

static int trace_sent(void *user, const struct json_item *item)
{
    struct trace *t = user;
    struct json *j;
    struct error err;
    struct buf kind, text;

    MUST(json_open(&j, &err));
    buf_init(&kind, 64);
    buf_init(&text, 65536);
    MUST(json_text(j, item->value, item->value_len, "$[1]", &kind, &err));
    MUST(json_text(j, item->value, item->value_len, "$[2]", &text, &err));
    /* Bytes stand there as code points of Latin-1. */
    for (size_t i = 0; i < text.len && t->labelled < TRACE_TYPED; i++) {
        if ((buf_data(&text)[i] & 0xc0) != 0x80) {
            t->kinds[t->labelled++] = (char)buf_data(&kind)[0];
        }
    }
    buf_clear(&kind);
    buf_clear(&text);
    json_close(j);
    return 0;
}

static int trace_secret(void *user, const struct json_item *item)
{
    struct trace *t = user;

    assert_true(t->n_secrets < TRACE_SECRETS && item->value_len < sizeof t->secrets[0]);
    memcpy(t->secrets[t->n_secrets], item->value, item->value_len);
    t->secrets[t->n_secrets++][item->value_len] = '\0';
    return 0;
}

static char *trace_read(const char *dir, const char *name, const char *suffix, size_t *ret_len)
{
    char path[512], *text;
    struct error err;
    struct buf buf;

    (void)snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    buf_init(&buf, 16U << 20);
    MUST(io_read_file(AT_FDCWD, path, 16U << 20, &buf, &err));
    *ret_len = buf.len;
    text = check_copy(buf_text(&buf, &err));
    buf_clear(&buf);
    return text;
}

/** trace_load(dir, name): "NAME.trace" (or "NAME.rec.trace") and "NAME.sent"; trace_free it. */
static struct trace *trace_load(const char *dir, const char *name, const char *suffix)
{
    struct trace *t = calloc(1, sizeof *t);
    size_t len;
    char *text, *rest;
    struct json *j;
    struct error err;

    assert_non_null(t);
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    text = trace_read(dir, name, suffix, &len);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        trace_line(t, line);
    }
    free(text);
    text = trace_read(dir, name, ".sent", &len);
    MUST(json_open(&j, &err));
    MUST(json_each(j, text, len, "$.sent", trace_sent, t, &err));
    MUST(json_each(j, text, len, "$.secrets", trace_secret, t, &err));
    json_close(j);
    free(text);
    return t;
}

static void trace_free(struct trace *t)
{
    for (size_t i = 0; i < t->n_events; i++) {
        free(t->events[i].bytes);
    }
    free(t);
}

#endif
