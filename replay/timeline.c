/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/json.h"
#include "replay/parts.h"
#include "replay/source.h"
#include "storage/seal/cast.h"

#define MAX_LINE (16U * 1024 * 1024)
#define MAX_TEXT 4096U /* of a title */
#define FEED     65536U

struct timeline {
    struct timeline_head head;
    char *title;
    char id[2 * CHAIN_ID + 1];
    struct cast_reader *lines;
    struct parts *parts;   /* a session, or */
    struct source *source; /* a file */
    struct part part;      /* what of it is not fed yet */
    bool at_end, ended;    /* of the text lines can get; of everything */
    struct error damage;   /* of the file, told when the lines before it are out */
};

static struct timeline *create(struct error *err)
{
    struct timeline *t = calloc(1, sizeof *t);

    if (t == NULL || cast_reader_new(&t->lines, MAX_LINE, err) != 0) {
        free(t);
        (void)err_set(err, ERR_SYSTEM, "no memory for a timeline");
        return NULL;
    }
    t->head.title = "";
    return t;
}

void timeline_close(struct timeline *t)
{
    if (t == NULL) {
        return;
    }
    cast_reader_free(t->lines);
    parts_close(t->parts);
    source_close(t->source);
    free(t->title);
    free(t);
}

const struct timeline_head *timeline_head(const struct timeline *t)
{
    return &t->head;
}

int timeline_fd(const struct timeline *t)
{
    return t->source == NULL ? -1 : source_fd(t->source);
}

static int set_title(struct timeline *t, const char *title, struct error *err)
{
    t->title = strdup(title);
    if (t->title == NULL) {
        return err_sys(err, "copy the title");
    }
    t->head.title = t->title;
    return 0;
}

int timeline_open_session(struct timeline **ret, struct reader *r, const struct session_row *s,
                          struct error *err)
{
    struct timeline *t = create(err);

    if (t == NULL) {
        return -1;
    }
    (void)io_hex(s->id, CHAIN_ID, t->id);
    t->head.cols = (uint32_t)s->cols;
    t->head.rows = (uint32_t)s->rows;
    t->head.started_us = s->started_us;
    t->head.no_terminal = strcmp(s->kind, "stream") == 0;
    t->at_end = true; /* of no text at all */
    if (set_title(t, s->title, err) != 0 || parts_open(&t->parts, r, s->row, err) != 0) {
        timeline_close(t);
        return -1;
    }
    *ret = t;
    return 0;
}

/* More text for the lines: 1, 0 there is none, TIMELINE_WAIT, -1. */
static int feed_file(struct timeline *t, bool wait, struct error *err)
{
    const uint8_t *piece;
    size_t len;
    int rc;

    if (!wait && !source_ready(t->source)) {
        return TIMELINE_WAIT;
    }
    rc = source_read(t->source, &piece, &len, err);
    if (rc <= 0) {
        t->at_end = true;
        if (rc < 0) {
            t->damage = *err;
        }
        return 1;
    }
    return cast_reader_feed(t->lines, piece, len, err) == 0 ? 1 : -1;
}

static int feed_session(struct timeline *t, struct error *err)
{
    size_t n;
    int rc;

    if (t->at_end) {
        struct cast_reader *fresh;

        rc = parts_next(t->parts, &t->part, err);
        if (rc <= 0) {
            return rc;
        }
        if (cast_reader_new(&fresh, MAX_LINE, err) != 0) {
            return -1;
        }
        cast_reader_free(t->lines); /* with what the part before left unfinished */
        t->lines = fresh;
        t->at_end = false;
    }
    n = t->part.len < FEED ? t->part.len : FEED;
    if (cast_reader_feed(t->lines, t->part.text, n, err) != 0) {
        return -1;
    }
    t->part.text += n;
    t->part.len -= n;
    t->at_end = t->part.len == 0;
    return 1;
}

static int end_file(struct timeline *t, struct error *err)
{
    t->ended = true;
    if (t->damage.kind == ERR_NONE) {
        return 0;
    }
    if (err != NULL) {
        *err = t->damage;
    }
    return -1;
}

static int line_damage(struct timeline *t, struct error *err)
{
    if (t->damage.kind != ERR_NONE) { /* the line that the file's end cut in two */
        return end_file(t, err);
    }
    if (err->kind != ERR_CORRUPT) { /* not a line that can be passed over */
        t->at_end = true;
        t->ended = t->source != NULL;
    }
    return t->parts != NULL ? err_wrap(err, "session %s", t->id) : -1;
}

/* The next line of either origin; as timeline_next. */
static int next_line(struct timeline *t, bool wait, struct cast_line *ret, struct error *err)
{
    for (;;) {
        int rc = t->ended ? 0 : cast_reader_next(t->lines, t->at_end, ret, err);

        if (rc > 0 || t->ended) {
            return rc;
        }
        if (rc < 0) {
            return line_damage(t, err);
        }
        if (t->source != NULL && t->at_end) {
            return end_file(t, err);
        }
        rc = t->source != NULL ? feed_file(t, wait, err) : feed_session(t, err);
        if (rc != 1) {
            return rc;
        }
    }
}

int timeline_next(struct timeline *t, struct timeline_event *ret, struct error *err)
{
    struct cast_line line;

    for (;;) {
        int rc = next_line(t, false, &line, err);

        if (rc != 1) {
            return rc;
        }
        if (!line.header) {
            *ret = (struct timeline_event){line.t_us, line.kind, line.bytes, line.len};
            return 1;
        }
        if (t->source != NULL) {
            t->ended = true; /* a pack holds many: its clock would jump */
            return err_set(err, ERR_CORRUPT, "another recording begins inside this file");
        }
    }
}

/* ---- a file's header ---- */

static int header_number(struct json *j, const struct cast_line *line, const char *path,
                         int64_t *ret)
{
    struct error ignored;

    return json_int(j, line->json, line->json_len, path, ret, &ignored);
}

static void header_facts(struct timeline *t, struct json *j, const struct cast_line *line)
{
    int64_t n;

    if (header_number(j, line, "$.width", &n) == 1 && n > 0 && n <= UINT16_MAX) {
        t->head.cols = (uint32_t)n;
    }
    if (header_number(j, line, "$.height", &n) == 1 && n > 0 && n <= UINT16_MAX) {
        t->head.rows = (uint32_t)n;
    }
    if (header_number(j, line, "$.timestamp", &n) == 1 && n > 0 && n < INT64_MAX / 1000000) {
        t->head.started_us = n * 1000000;
    }
    if (header_number(j, line, "$.ttytrail.started_us", &n) == 1) {
        t->head.started_us = n;
    }
}

/* Ours say whether there was a terminal. */
static bool header_is_stream(struct json *j, const struct cast_line *line)
{
    struct buf kind;
    struct error ignored;
    bool stream;

    buf_init(&kind, MAX_TEXT);
    stream =
        json_text(j, line->json, line->json_len, "$.ttytrail.access.kind", &kind, &ignored) == 1 &&
        kind.len == 6 && memcmp(buf_data(&kind), "stream", 6) == 0;
    buf_clear(&kind);
    return stream;
}

static int header_title(struct timeline *t, struct json *j, const struct cast_line *line,
                        struct error *err)
{
    struct buf title;
    struct error ignored;
    const char *text = "";
    int result;

    buf_init(&title, MAX_TEXT);
    if (json_text(j, line->json, line->json_len, "$.title", &title, &ignored) == 1) {
        text = buf_text(&title, err);
    }
    result = text == NULL ? -1 : set_title(t, text, err);
    buf_clear(&title);
    return result;
}

static int read_header(struct timeline *t, const struct cast_line *line, struct error *err)
{
    struct json *j = NULL;
    int64_t version = 0;
    int result = -1;

    if (json_open(&j, err) != 0) {
        return -1;
    }
    if (json_int(j, line->json, line->json_len, "$.version", &version, err) != 1) {
        (void)err_set(err, ERR_CORRUPT, "no asciicast: its header names no version");
        goto out;
    }
    if (version != 2) {
        (void)err_set(err, ERR_USAGE, "asciicast version %lld is not read yet (2 is)",
                      (long long)version);
        goto out;
    }
    header_facts(t, j, line);
    t->head.no_terminal = header_is_stream(j, line);
    result = header_title(t, j, line, err);
out:
    json_close(j);
    return result;
}

int timeline_open_file(struct timeline **ret, const char *path, struct error *err)
{
    struct timeline *t = create(err);
    struct cast_line line;
    int rc;

    if (t == NULL) {
        return -1;
    }
    if (source_open(&t->source, path, err) != 0) {
        timeline_close(t);
        return -1;
    }
    rc = next_line(t, true, &line, err);
    if (rc == 0 || (rc == 1 && !line.header)) {
        rc = err_set(err, ERR_CORRUPT, "no asciicast: it does not begin with a header");
    } else if (rc == 1) {
        rc = read_header(t, &line, err);
    }
    if (rc != 0) {
        timeline_close(t);
        return err_wrap(err, "%s", path);
    }
    *ret = t;
    return 0;
}
