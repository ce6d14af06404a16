/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, buffers, files, hex, the log's escapes and points in time. */
#include "tests/unit/check.h"
#include "tests/unit/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"

static void errors_read_from_outside_in(void **state)
{
    struct error err;
    char big[400];

    (void)state;
    assert_int_equal(err_set(&err, ERR_LIMIT, "put %s", "x"), -1);
    assert_int_equal(err_wrap(&err, "batch %d", 42), -1);
    assert_string_equal(err.text, "batch 42: put x");
    assert_int_equal(err.kind, ERR_LIMIT);
    errno = ENOSPC;
    assert_int_equal(err_sys(&err, "write"), -1);
    assert_int_equal(err.code, ENOSPC);
    assert_int_equal(errno, ENOSPC);
    assert_string_equal(err.text, "write: No space left on device");
    memset(big, 'x', sizeof big);
    big[399] = '\0';
    (void)err_set(&err, ERR_USAGE, "%s", big);
    (void)err_wrap(&err, "%s", big);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    err_clear(&err);
    assert_int_equal(err.kind, ERR_NONE);
    err_clear(NULL);
    assert_int_equal(err_set(NULL, ERR_USAGE, "x"), -1);
    assert_int_equal(err_sys(NULL, "x"), -1);
    assert_int_equal(err_wrap(NULL, "x"), -1);
}

/* ---- buf ---- */

static void buffers_have_ceilings(void **state)
{
    struct buf b;
    struct error err;
    uint8_t *at;

    (void)state;
    buf_init(&b, 10);
    MUST(buf_append(&b, "0123456789", 10, &err));
    REFUSES(buf_putc(&b, 'x', &err), ERR_LIMIT);
    REFUSES(buf_reserve(&b, SIZE_MAX, &at, &err), ERR_LIMIT);
    assert_string_equal(buf_text(&b, &err), "0123456789");
    buf_consume(&b, 4);
    MUST(buf_append(&b, "abcd", 4, &err));
    REFUSES(buf_puts(&b, "e", &err), ERR_LIMIT);
    assert_string_equal(buf_text(&b, &err), "456789abcd");
    buf_consume(&b, 100);
    assert_int_equal(b.len, 0);
    MUST(buf_printf(&b, &err, "%s-%d", "seven", 1));
    assert_string_equal(buf_text(&b, &err), "seven-1");
    REFUSES(buf_printf(&b, &err, "%s", "four"), ERR_LIMIT);
    assert_string_equal(buf_text(&b, &err), "seven-1");
    MUST(buf_printf(&b, &err, "%s", "910")); /* exactly full */
    assert_int_equal(b.len, 10);
    buf_clear(&b);
    assert_string_equal(buf_text(&b, &err), "");
    buf_clear(&b);
}

static void buffers_work_like_the_simple_thing(void **state)
{
    uint64_t random = 3;
    struct buf b;
    struct error err;
    static uint8_t model[200000];
    size_t from = 0, to = 0, most = 0;

    (void)state;
    buf_init(&b, 3000);
    for (int i = 0; i < 4000; i++) {
        uint8_t bytes[100];
        size_t n = check_random(&random) % sizeof bytes;

        if (check_random(&random) % 2 == 0 && to + n < sizeof model) {
            for (size_t k = 0; k < n; k++) {
                bytes[k] = (uint8_t)check_random(&random);
            }
            if (buf_append(&b, bytes, n, &err) == 0) {
                memcpy(model + to, bytes, n);
                to += n;
            } else {
                assert_true(to - from + n > 3000);
            }
        } else {
            buf_consume(&b, n);
            from = to - from < n ? to : from + n;
        }
        assert_int_equal(b.len, to - from);
        assert_memory_equal(buf_data(&b), model + from, b.len);
        most = b.cap > most ? b.cap : most;
    }
    assert_true(most <= 4 * 3000); /* what was consumed is used again */
    buf_clear(&b);
}

/* ---- io ---- */

static void read_file(int dir, const char *name, struct buf *to)
{
    struct error err;

    buf_reset(to);
    MUST(io_read_file(dir, name, 1000, to, &err));
}

static void files_are_replaced_whole_or_not(void **state)
{
    char dir[200], deep[260];
    struct buf b;
    struct error err;
    struct stat st;
    int fd;

    (void)state;
    assert_int_equal(tempdir_make(dir, sizeof dir), 0);
    (void)snprintf(deep, sizeof deep, "%s/a/b/c", dir);
    MUST(io_mkdirs(deep, 0700, &err));
    MUST(io_mkdirs(deep, 0700, &err));
    fd = open(deep, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    buf_init(&b, 4000);
    MUST(io_create_file(fd, "f", 0640, "one", 3, &err));
    assert_int_equal(io_create_file(fd, "f", 0640, "two", 3, &err), -1);
    assert_int_equal(err.code, EEXIST);
    read_file(fd, "f", &b);
    assert_memory_equal(buf_data(&b), "one", 3);
    MUST(io_replace_file(fd, "f", 0600, "three", 5, &err));
    read_file(fd, "f", &b);
    assert_int_equal(b.len, 5);
    assert_int_equal(fstatat(fd, "f", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    REFUSES(io_read_file(fd, "f", 4, &b, &err), ERR_LIMIT);
    REFUSES(io_read_file(fd, ".", 100, &b, &err), ERR_USAGE);
    REFUSES(io_read_file(fd, "g", 100, &b, &err), ERR_SYSTEM);
    assert_int_equal(symlinkat("f", fd, "link"), 0);
    MUST(io_replace_file(fd, "link", 0600, "four", 4, &err)); /* the link goes, its target stays */
    read_file(fd, "f", &b);
    assert_int_equal(b.len, 5);
    assert_int_equal(mkdirat(fd, "dir", 0700), 0);
    REFUSES(io_replace_file(fd, "dir", 0600, "x", 1, &err), ERR_SYSTEM);
    REFUSES(io_mkdirs("/proc/nothing/here", 0700, &err), ERR_SYSTEM);
    close(fd);
    buf_clear(&b);
    /* Nothing but what was made is left: no temporary file. */
    (void)snprintf(deep, sizeof deep, "%s/a/b/c/dir", dir);
    assert_int_equal(rmdir(deep), 0);
    (void)snprintf(deep, sizeof deep, "%s/a/b/c/f", dir);
    assert_int_equal(unlink(deep), 0);
    (void)snprintf(deep, sizeof deep, "%s/a/b/c/link", dir);
    assert_int_equal(unlink(deep), 0);
    (void)snprintf(deep, sizeof deep, "%s/a/b/c", dir);
    assert_int_equal(rmdir(deep), 0);
    assert_int_equal(tempdir_drop(dir), 0);
}

static void hex_goes_both_ways(void **state)
{
    static const char *const bad[] = {"", "0", "00112", "001122 ", "00112g", "0011223", "-01122"};
    uint8_t out[3];
    char text[7];

    (void)state;
    assert_string_equal(io_hex((const uint8_t *)"\x00\xfa\x9c", 3, text), "00fa9c");
    assert_int_equal(io_unhex("00Fa9c", out, 3), 0);
    assert_memory_equal(out, "\x00\xfa\x9c", 3);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(io_unhex(bad[i], out, 3), -1);
    }
    uint8_t be[8];
    io_put_be64(be, UINT64_C(0x0102030405060708));
    assert_memory_equal(be, "\1\2\3\4\5\6\7\10", 8);
    assert_true(io_get_be64(be) == UINT64_C(0x0102030405060708));
}

/* ---- log ---- */

static void the_log_shows_nothing_raw(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain \"text\"", "plain \"text\""}, {"a\nb\t\x1b[2J\x7f", "a\\x0ab\\x09\\x1b[2J\\x7f"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},       {"\xff\xc3", "\\xff\\xc3"},
        {"\xc2\x9b", "\\xc2\\x9b"},           {"\xe2\x80\xae", "\\xe2\\x80\\xae"},
        {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(log_escape(cases[i].in, strlen(cases[i].in), out, sizeof out),
                            cases[i].out);
    }
    assert_string_equal(log_escape("a\0b", 3, out, sizeof out), "a\\x00b");
    for (size_t size = 1; size < 30; size++) { /* always ended, never beyond */
        memset(out, '#', sizeof out);
        log_escape("\x1b\x1b\x1b\x1b\x1b\xc3\xa9\xc3\xa9", 9, out, size);
        assert_true(strlen(out) < size);
        assert_int_equal(out[size], '#');
    }
}

/* ---- clock ---- */

static void points_in_time_are_understood(void **state)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } cases[] = {
        {"0", -1},
        {"20261122", -1},
        {"202611220540", -1},
        {"20261122054031", -1},
        {"100000000", INT64_C(100000000000000)},
        {"1763790031", INT64_C(1763790031000000)},
        {"1763790031.5", INT64_C(1763790031500000)},
        {"1763790031.1234567", INT64_C(1763790031123456)},
        {"2025-11-22T05:40:31Z", INT64_C(1763790031000000)},
        {"2025-11-22T05:40:31.25Z", INT64_C(1763790031250000)},
        {"2025-11-22 05:40Z", INT64_C(1763790000000000)},
        {"2025-11-22T07:40", INT64_C(1763790000000000)},
        {"2025-11-22", INT64_C(1763762400000000)},
        {"2025-11-22T05:40:31+01:00", -1},
        {"", -1},
        {".", -1},
        {"1.2.3", -1},
        {"99999999999999999999", -1},
        {"-5", -1},
        {"2025-13-01", -1},
        {"2025-00-01", -1},
        {"2025-02-29", -1},
        {"2024-02-29", INT64_C(1709157600000000)},
        {"2026-02-30", -1},
        {"2026-2-3", -1},
        {" 2025-11-22", -1},
        {"2025-11-22T05:40:", -1},
        {"2025-11-22T05:60", -1},
        {"2025-11-22T05:40:60", -1},
        {"2025-11-22T24:00", -1},
        {"1763790031.", -1},
        {"2025-11-22T", -1},
        {"2025-11-22T25:00", -1},
        {"2025-11-22T05:40:31ZZ", -1},
        {"yesterday", -1},
    };
    static const struct {
        const char *text;
        int64_t us;
    } spans[] = {
        {"2025-11-22", INT64_C(86400000000)},
        {"2025-11-22T05:40", 60000000},
        {"2025-11-22T05:40:31Z", 1000000},
        {"2025-11-22T05:40:31.5", 1},
        {"1763790031", 1000000},
        {"1763790031.5", 1},
    };
    struct error err;
    char text[64];

    (void)state;
    assert_int_equal(setenv("TZ", "TEST-2", 1), 0); /* two hours east, the whole year */
    tzset();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = -7;
        int rc = clock_parse(cases[i].text, &us, &err);

        if ((rc == 0) != (cases[i].us >= 0) || (rc == 0 && us != cases[i].us)) {
            fail_msg("%s: %d, %lld", cases[i].text, rc, (long long)us);
        }
    }
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        int64_t from, to;

        MUST(clock_parse_span(spans[i].text, &from, &to, &err));
        assert_int_equal(to - from + 1, spans[i].us);
    }
    clock_format_utc(INT64_C(1763790031999999), "%Y-%m-%dT%H:%M:%SZ", text, sizeof text);
    assert_string_equal(text, "2025-11-22T05:40:31Z");
    clock_format_utc(-1, "%Y-%m-%dT%H:%M:%SZ", text, sizeof text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
}

static void processes_are_told_apart(void **state)
{
    uint64_t start = clock_process_start(getpid());
    char boot[33];

    (void)state;
    assert_true(start > 0);
    assert_true(clock_process_alive(getpid(), start));
    assert_false(clock_process_alive(getpid(), start + 1));
    assert_int_equal(clock_process_start(-1), 0);
    clock_boot_id(boot);
    assert_int_equal(strlen(boot), 32);
    assert_int_equal(strspn(boot, "0123456789abcdef"), 32);
    assert_true(clock_boot_us() <= clock_boot_us());
    assert_true(clock_unix_us() > INT64_C(1700000000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_read_from_outside_in),
        cmocka_unit_test(buffers_have_ceilings),
        cmocka_unit_test(buffers_work_like_the_simple_thing),
        cmocka_unit_test(files_are_replaced_whole_or_not),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(the_log_shows_nothing_raw),
        cmocka_unit_test(points_in_time_are_understood),
        cmocka_unit_test(processes_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
