/* SPDX-License-Identifier: Apache-2.0 */
/* Files of asciicast: plain, gzip of one member and of several, cut short, damaged, not ours. */
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
#include "replay/timeline.h"
#include "storage/seal/segment.h"

#define HEADER                                                                                     \
    "{\"version\": 2, \"width\": 100, \"height\": 30, \"timestamp\": 1700000000, "                 \
    "\"title\": \"t\\u00e9st\", \"env\": {\"TERM\": \"xterm\"}}\n"
#define LINE_A "[0.5, \"o\", \"hello\\r\\n\"]\n"
#define LINE_B "[1.0, \"i\", \"x\"]\n"
#define LINE_C "[1.25, \"o\", \"bad \\ufffd\"]\n[1.25, \"b\", \"YmFkIP8=\"]\n"
#define LINE_D "[2, \"x\", \"exit 0\"]\n"

struct fixture {
    char path[64];
    struct buf bytes;
    struct timeline *t;
    struct timeline_event ev;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)snprintf(f->path, sizeof f->path, "test-timeline-XXXXXX");
    int fd = mkostemp(f->path, O_CLOEXEC);
    assert_true(fd >= 0);
    (void)close(fd);
    buf_init(&f->bytes, 1U << 24);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    timeline_close(f->t);
    buf_clear(&f->bytes);
    (void)unlink(f->path);
    free(f);
    return 0;
}

static void add_member(struct fixture *f, const char *text)
{
    assert_int_equal(segment_pack((const uint8_t *)text, strlen(text), &f->bytes, &f->err), 0);
}

static void store(struct fixture *f)
{
    assert_int_equal(
        io_replace_file(AT_FDCWD, f->path, 0600, buf_data(&f->bytes), f->bytes.len, &f->err), 0);
}

static void open_it(struct fixture *f)
{
    store(f);
    if (timeline_open_file(&f->t, f->path, &f->err) != 0) {
        fail_msg("%s", f->err.text);
    }
}

static void expect_event(struct fixture *f, char kind, uint64_t t_us, const char *bytes)
{
    int rc = timeline_next(f->t, &f->ev, &f->err);

    if (rc != 1) {
        fail_msg("no event %c '%s': %d %s", kind, bytes, rc, rc < 0 ? f->err.text : "");
    }
    assert_int_equal(f->ev.kind, kind);
    assert_int_equal(f->ev.t_us, t_us);
    assert_int_equal(f->ev.len, strlen(bytes));
    assert_memory_equal(f->ev.bytes, bytes, f->ev.len);
}

static void expect_all(struct fixture *f)
{
    const struct timeline_head *head = timeline_head(f->t);

    assert_int_equal(head->cols, 100);
    assert_int_equal(head->rows, 30);
    assert_string_equal(head->title, "t\xc3\xa9st");
    assert_true(head->started_us == INT64_C(1700000000) * 1000000);
    expect_event(f, 'o', 500000, "hello\r\n");
    expect_event(f, 'i', 1000000, "x");
    expect_event(f, 'o', 1250000, "bad \xff");
    expect_event(f, 'x', 2000000, "exit 0");
    assert_int_equal(timeline_next(f->t, &f->ev, &f->err), 0);
    assert_int_equal(timeline_next(f->t, &f->ev, &f->err), 0);
}

static void reads_a_plain_file(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(buf_puts(&f->bytes, HEADER LINE_A LINE_B LINE_C LINE_D, &f->err), 0);
    open_it(f);
    expect_all(f);
}

static void reads_gzip_of_several_members(void **state)
{
    struct fixture *f = *state;

    add_member(f, HEADER LINE_A);
    add_member(f, LINE_B LINE_C);
    add_member(f, LINE_D);
    open_it(f);
    expect_all(f);
}

static void reads_what_there_is_of_a_truncated_one(void **state)
{
    struct fixture *f = *state;

    add_member(f, HEADER LINE_A);
    add_member(f, LINE_B LINE_C LINE_D);
    f->bytes.len -= 10;
    open_it(f);
    expect_event(f, 'o', 500000, "hello\r\n");
    int rc, errors = 0;
    while ((rc = timeline_next(f->t, &f->ev, &f->err)) != 0) {
        if (rc < 0) {
            errors++;
            assert_int_equal(f->err.kind, ERR_CORRUPT);
            assert_non_null(strstr(f->err.text, "ends early"));
        }
    }
    assert_int_equal(errors, 1);
}

static void goes_on_behind_a_damaged_line(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(buf_puts(&f->bytes, HEADER LINE_A "[1.0, \"o\", garbage\n" LINE_D, &f->err),
                     0);
    open_it(f);
    unsigned good = 0, bad = 0;
    for (int rc; (rc = timeline_next(f->t, &f->ev, &f->err)) != 0;) {
        *(rc < 0 ? &bad : &good) += 1;
    }
    assert_int_equal(good, 2);
    assert_int_equal(bad, 1);
    assert_non_null(strstr(f->err.text, "line 3"));
}

static void notices_trailing_garbage_and_a_second_recording(void **state)
{
    struct fixture *f = *state;

    add_member(f, HEADER LINE_A);
    assert_int_equal(buf_puts(&f->bytes, "garbage", &f->err), 0);
    open_it(f);
    expect_event(f, 'o', 500000, "hello\r\n");
    assert_int_equal(timeline_next(f->t, &f->ev, &f->err), -1);
    assert_int_equal(timeline_next(f->t, &f->ev, &f->err), 0);
    timeline_close(f->t);
    f->t = NULL;

    buf_reset(&f->bytes);
    assert_int_equal(buf_puts(&f->bytes, HEADER LINE_A HEADER LINE_B, &f->err), 0);
    open_it(f);
    expect_event(f, 'o', 500000, "hello\r\n");
    assert_int_equal(timeline_next(f->t, &f->ev, &f->err), -1);
    assert_non_null(strstr(f->err.text, "another recording"));
    assert_int_equal(timeline_next(f->t, &f->ev, &f->err), 0);
}

static void reads_a_file_larger_than_any_piece(void **state)
{
    struct fixture *f = *state;
    struct buf text;

    buf_init(&text, 1U << 24);
    assert_int_equal(buf_puts(&text, HEADER, &f->err), 0);
    for (unsigned i = 0; i < 20000; i++) {
        assert_int_equal(buf_printf(&text, &f->err, "[%u.5, \"o\", \"line %u %s\"]\n", i, i,
                                    "0123456789012345678901234567890123456789"),
                         0);
    }
    for (size_t at = 0; at < text.len; at += 100000) { /* members end anywhere */
        size_t n = text.len - at < 100000 ? text.len - at : 100000;

        assert_int_equal(segment_pack(buf_data(&text) + at, n, &f->bytes, &f->err), 0);
    }
    open_it(f);
    unsigned i = 0;
    for (int rc; (rc = timeline_next(f->t, &f->ev, &f->err)) != 0; i++) {
        char want[32];

        assert_int_equal(rc, 1);
        (void)snprintf(want, sizeof want, "line %u ", i);
        assert_memory_equal(f->ev.bytes, want, strlen(want));
        assert_int_equal(f->ev.t_us, (uint64_t)i * 1000000 + 500000);
    }
    assert_int_equal(i, 20000);
    buf_clear(&text);
}

static void refuses_what_is_no_recording(void **state)
{
    static const struct {
        const char *text;
        enum err_kind kind;
    } cases[] = {
        {"", ERR_CORRUPT},
        {"just text\n", ERR_CORRUPT},
        {LINE_A, ERR_CORRUPT},
        {"{\"width\": 80}\n", ERR_CORRUPT},
        {"{broken\n", ERR_CORRUPT},
        {"{\"version\": 3, \"term\": {\"cols\": 80, \"rows\": 24}}\n", ERR_USAGE},
        {"{\"version\": 1, \"width\": 80, \"stdout\": []}\n", ERR_USAGE},
        {"\x1f\x8b"
         "nonsense",
         ERR_CORRUPT},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_reset(&f->bytes);
        assert_int_equal(buf_puts(&f->bytes, cases[i].text, &f->err), 0);
        store(f);
        err_clear(&f->err);
        assert_int_equal(timeline_open_file(&f->t, f->path, &f->err), -1);
        assert_int_equal(f->err.kind, cases[i].kind);
        assert_null(f->t);
    }
    assert_int_equal(timeline_open_file(&f->t, "no/such/file", &f->err), -1);
    assert_int_equal(f->err.kind, ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_plain_file, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_gzip_of_several_members, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_what_there_is_of_a_truncated_one, setup, teardown),
        cmocka_unit_test_setup_teardown(goes_on_behind_a_damaged_line, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_trailing_garbage_and_a_second_recording, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(reads_a_file_larger_than_any_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_recording, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
