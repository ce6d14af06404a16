/* SPDX-License-Identifier: Apache-2.0 */
/* A session of the database, sealed in part: both formats give back exactly what passed; a damaged
 * part is left out, named, and nothing else. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/io.h"
#include "replay/export/export.h"
#include "replay/parts.h"
#include "replay/timeline.h"
#include "storage/db/store.h"
#include "storage/seal/segment.h"

#define EVENTS   600
#define SEGMENTS 3

struct fixture {
    char dir[32], db[64], out[64];
    struct store *store;
    struct reader *reader;
    struct session_row session;
    struct buf streams[3]; /* o i e, as they passed */
    struct buf of_segment[SEGMENTS + 1];
    struct tail_row tail[SEGMENTS + 1];
    uint8_t tail_base[CHAIN_HASH]; /* for the next segment */
    struct error err;
    char gap[256];
    unsigned gaps;
};

static const char kinds[] = "oie";

static void must(int rc, const struct error *err)
{
    if (rc != 0) {
        fail_msg("%s", err->text);
    }
}

static void set(char **to, const char *text)
{
    *to = strdup(text);
    assert_non_null(*to);
}

static void make_session(struct fixture *f)
{
    struct session_row *s = &f->session;

    session_row_init(s);
    memset(s->id, 0x5a, CHAIN_ID);
    set(&s->kind, "tty");
    set(&s->host, "host");
    set(&s->user, "alice");
    set(&s->title, "a title");
    set(&s->tty, "");
    set(&s->command, "");
    set(&s->exit, "");
    set(&s->flags, "");
    s->cols = 90;
    s->rows = 20;
    s->started_us = INT64_C(1700000000) * 1000000;
    must(store_session_insert(f->store, s, &f->err), &f->err);
}

/* Events ${from} to ${to}, of bytes that are anything (UTF-8 now and then), as frames. */
static void make_frames(struct fixture *f, struct buf *frames, unsigned from, unsigned to,
                        unsigned segment)
{
    static const char *const texts[] = {"plain\r\n", "caf\xc3\xa9 ", "\xe2\x9c\x93",
                                        "\xf0\x9f\x98\x80"};
    uint32_t random = from * 2654435761U + 1;

    for (unsigned i = from; i < to; i++) {
        uint8_t bytes[300];
        size_t len = 0;
        unsigned stream = i % 7 < 5 ? 0 : i % 7 - 4;

        for (unsigned k = 0; k < 16; k++) {
            random = random * 1664525U + 1013904223U;
            if ((random >> 28) < 4) {
                bytes[len++] = (uint8_t)(random >> 20);
            } else {
                const char *text = texts[random >> 24 & 3];

                memcpy(bytes + len, text, strlen(text));
                len += strlen(text);
            }
        }
        if (i + 7 >= to) { /* no character of these goes on in the next part, damaged or not */
            memcpy(bytes, "end", len = 3);
        }
        struct event ev = {.seq = i + 1,
                           .t_us = i * UINT64_C(1000),
                           .kind = kinds[stream],
                           .bytes = bytes,
                           .len = len};
        must(event_put(frames, &ev, &f->err), &f->err);
        must(buf_append(&f->streams[stream], bytes, len, &f->err), &f->err);
        if (stream == 0) {
            must(buf_append(&f->of_segment[segment], bytes, len, &f->err), &f->err);
        }
    }
}

static void seal(struct fixture *f, struct cast_writer *w, const struct buf *frames,
                 unsigned number, struct buf *carry, bool damaged)
{
    struct session_row *s = &f->session;
    struct buf text, packed, rest;
    struct store_segment seg = {.session_row = s->row, .number = number};

    buf_init(&text, SEGMENT_MAX_TEXT);
    buf_init(&packed, SEGMENT_MAX_BYTES);
    buf_init(&rest, SEGMENT_MAX_BYTES);
    if (number == 0) {
        struct segment_header h = {.session_hex = "5a5a",
                                   .host = "host",
                                   .epoch_hex = "00",
                                   .user = "alice",
                                   .cols = 90,
                                   .rows = 20,
                                   .time_digits = 3,
                                   .started_us = s->started_us,
                                   .title = "a title"};

        must(segment_header_line(&text, &h, &f->err), &f->err);
    }
    must(segment_lines(&text, w, buf_data(frames), frames->len, UINT64_MAX, &rest, &f->err),
         &f->err);
    must(cast_carry(w, carry, &f->err), &f->err);
    must(segment_pack(buf_data(&text), text.len, &packed, &f->err), &f->err);
    chain_sha256(buf_data(&packed), packed.len, seg.sha256);
    if (damaged) {
        buf_data(&packed)[packed.len / 2] ^= 0x10;
    }
    seg.bytes = buf_data(&packed);
    seg.len = packed.len;
    seg.text_size = (int64_t)text.len;
    seg.last_t_us = (int64_t)w->last_t_us;
    memcpy(seg.tail_base, f->tail_base, CHAIN_HASH);
    must(store_segment_insert(f->store, &seg, &f->err), &f->err);
    buf_clear(&text);
    buf_clear(&packed);
    buf_clear(&rest);
}

/* ${sealed} of SEGMENTS + 1 parts are segments, the last is the tail; ${damaged} (-1: none) is not
 * what was promised. */
static void build(struct fixture *f, unsigned sealed, int damaged)
{
    struct cast_writer w;
    struct buf frames, carry;
    uint8_t hash[CHAIN_HASH] = {0};

    cast_writer_init(&w, 0);
    buf_init(&frames, SEGMENT_MAX_BYTES);
    buf_init(&carry, SEGMENT_MAX_BYTES);
    must(store_begin(f->store, &f->err), &f->err);
    make_session(f);
    for (unsigned i = 0; i <= SEGMENTS; i++) {
        buf_reset(&frames);
        must(buf_append(&frames, buf_data(&carry), carry.len, &f->err), &f->err);
        buf_reset(&carry);
        make_frames(f, &frames, i * EVENTS, (i + 1) * EVENTS, i);
        if (i < sealed) {
            seal(f, &w, &frames, i, &carry, (int)i == damaged);
            continue;
        }
        chain_tail(hash, buf_data(&frames), frames.len);
        f->tail[i].len = frames.len;
        must(store_tail_insert(f->store, f->session.row, i + 1, hash, buf_data(&frames), frames.len,
                               &f->tail[i].row, &f->err),
             &f->err);
    }
    must(store_commit(f->store, &f->err), &f->err);
    must(reader_open(&f->reader, f->db, &f->err), &f->err);
    buf_clear(&frames);
    buf_clear(&carry);
    cast_writer_clear(&w);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)snprintf(f->dir, sizeof f->dir, "test-export-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->db, sizeof f->db, "%s/evidence.db", f->dir);
    (void)snprintf(f->out, sizeof f->out, "%s/out", f->dir);
    struct store_config config = {.path = f->db};
    must(store_open(&f->store, &config, &f->err), &f->err);
    for (int i = 0; i < 3; i++) {
        buf_init(&f->streams[i], 1U << 24);
    }
    for (int i = 0; i <= SEGMENTS; i++) {
        buf_init(&f->of_segment[i], 1U << 24);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    static const char *const files[] = {"evidence.db", "evidence.db-wal", "evidence.db-shm", "out"};
    struct fixture *f = *state;

    reader_close(f->reader);
    store_close(f->store, true);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[96];

        (void)snprintf(path, sizeof path, "%s/%s", f->dir, files[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    for (int i = 0; i < 3; i++) {
        buf_clear(&f->streams[i]);
    }
    for (int i = 0; i <= SEGMENTS; i++) {
        buf_clear(&f->of_segment[i]);
    }
    session_row_clear(&f->session);
    free(f);
    return 0;
}

static void note_gap(void *user, const struct error *what)
{
    struct fixture *f = user;

    f->gaps++;
    memcpy(f->gap, what->text, sizeof f->gap);
}

static void run_format(struct fixture *f, const char *name, char stream)
{
    const struct export_format *format = export_format(name, &f->err);
    int fd = open(f->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_non_null(format);
    assert_true(fd >= 0);
    struct export_request request = {.reader = f->reader,
                                     .session = &f->session,
                                     .fd = fd,
                                     .stream = stream,
                                     .gap = note_gap,
                                     .user = f};
    must(format->run(&request, &f->err), &f->err);
    assert_int_equal(close(fd), 0);
}

static void expect_file(struct fixture *f, const struct buf *want)
{
    struct buf got;

    buf_init(&got, 1U << 24);
    must(io_read_file(AT_FDCWD, f->out, 1U << 24, &got, &f->err), &f->err);
    assert_int_equal(got.len, want->len);
    assert_memory_equal(buf_data(&got), buf_data(want), want->len);
    buf_clear(&got);
}

/* The exported cast, read as a stranger's file, holds ${want} as stream ${kind}; returns its marks.
 */
static unsigned expect_cast(struct fixture *f, char kind, const struct buf *want)
{
    struct timeline *t = NULL;
    struct timeline_event ev;
    struct buf got;
    uint64_t last = 0;
    unsigned marks = 0;

    buf_init(&got, 1U << 24);
    must(timeline_open_file(&t, f->out, &f->err), &f->err);
    assert_int_equal(timeline_head(t)->cols, 90);
    assert_string_equal(timeline_head(t)->title, "a title");
    for (int rc; (rc = timeline_next(t, &ev, &f->err)) != 0;) {
        must(rc < 0 ? -1 : 0, &f->err);
        assert_true(ev.t_us >= last);
        last = ev.t_us;
        marks += ev.kind == 'm';
        if (ev.kind == kind) {
            must(buf_append(&got, ev.bytes, ev.len, &f->err), &f->err);
        }
    }
    assert_int_equal(got.len, want->len);
    assert_memory_equal(buf_data(&got), buf_data(want), want->len);
    buf_clear(&got);
    timeline_close(t);
    return marks;
}

static void gives_back_what_passed(struct fixture *f, unsigned sealed)
{
    build(f, sealed, -1);
    for (int i = 0; i < 3; i++) {
        run_format(f, "raw", kinds[i]);
        expect_file(f, &f->streams[i]);
    }
    run_format(f, "cast", 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(expect_cast(f, kinds[i], &f->streams[i]), 0);
    }
    assert_int_equal(f->gaps, 0);
}

static void gives_back_a_session_sealed_in_part(void **state)
{
    gives_back_what_passed(*state, SEGMENTS);
}

static void gives_back_a_session_never_sealed(void **state)
{
    gives_back_what_passed(*state, 0);
}

static void leaves_out_a_damaged_segment(struct fixture *f, int damaged)
{
    struct buf want;
    char name[32];

    build(f, SEGMENTS, damaged);
    buf_init(&want, 1U << 24);
    for (int i = 0; i <= SEGMENTS; i++) {
        if (i != damaged) {
            must(buf_append(&want, buf_data(&f->of_segment[i]), f->of_segment[i].len, &f->err),
                 &f->err);
        }
    }
    run_format(f, "raw", 'o');
    expect_file(f, &want);
    run_format(f, "cast", 0);
    assert_int_equal(expect_cast(f, 'o', &want), 1);
    assert_int_equal(f->gaps, 2);
    (void)snprintf(name, sizeof name, "segment %d: ", damaged);
    assert_non_null(strstr(f->gap, name));
    assert_non_null(strstr(f->gap, "session 5a5a5a5a"));
    buf_clear(&want);
}

static void leaves_out_a_damaged_segment_in_the_middle(void **state)
{
    leaves_out_a_damaged_segment(*state, 1);
}

static void leaves_out_a_damaged_first_segment(void **state)
{
    leaves_out_a_damaged_segment(*state, 0);
}

/* The writer seals while we read: what was the tail when we began comes as a segment, once. */
static void reads_what_is_sealed_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct cast_writer w;
    struct buf frames, carry, got;
    struct parts *p = NULL;
    struct part part;
    unsigned parts = 0, tails = 0;

    build(f, 1, -1);
    buf_init(&frames, SEGMENT_MAX_BYTES);
    buf_init(&carry, SEGMENT_MAX_BYTES);
    buf_init(&got, SEGMENT_MAX_BYTES);
    must(parts_open(&p, f->reader, f->session.row, &f->err), &f->err);
    for (int rc; (rc = parts_next(p, &part, &f->err)) != 0; parts++) {
        must(rc < 0 ? -1 : 0, &f->err);
        must(buf_append(&got, part.text, part.len, &f->err), &f->err);
        tails += part.tail;
        if (parts == 0 || parts == 1) { /* seal the next row of the tail */
            unsigned next = parts + 1;

            buf_reset(&frames);
            must(store_begin(f->store, &f->err), &f->err);
            must(store_tail_read(f->store, f->tail[next].row, &frames, f->tail_base, &f->err),
                 &f->err);
            cast_writer_init(&w, 0);
            seal(f, &w, &frames, next, &carry, false);
            cast_writer_clear(&w);
            must(store_tail_delete(f->store, &f->tail[next], 1, &f->err), &f->err);
            must(store_commit(f->store, &f->err), &f->err);
        }
    }
    assert_int_equal(parts, SEGMENTS + 1);
    assert_int_equal(tails, 1);
    must(io_replace_file(AT_FDCWD, f->out, 0600, buf_data(&got), got.len, &f->err), &f->err);
    assert_int_equal(expect_cast(f, 'o', &f->streams[0]), 0);
    parts_close(p);
    buf_clear(&frames);
    buf_clear(&carry);
    buf_clear(&got);
}

static void says_what_is_not_built(void **state)
{
    struct error err;

    (void)state;
    assert_null(export_format("html", &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "not built yet"));
    assert_null(export_format("nonsense", &err));
    assert_non_null(strstr(err.text, "no format"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_a_session_sealed_in_part, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_back_a_session_never_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_out_a_damaged_segment_in_the_middle, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(leaves_out_a_damaged_first_segment, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_what_is_sealed_meanwhile, setup, teardown),
        cmocka_unit_test(says_what_is_not_built),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
