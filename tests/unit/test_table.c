/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of tables/ in a directory: one member of gzip each, under a day, without a colon. */
#include "check.h"
#include "tests/unit/tempdir.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>

#include "common/io.h"
#include "storage/seal/segment.h"
#include "trail/table.h"
#include "trail/table_rows.h"

#define RUN_US (INT64_C(1795780800) * 1000000)

static struct verdict v;
static struct subject s;
static struct trail_stored access_event;

static void rows_are_objects_with_every_column(void **state)
{
    const struct access_told told = {
        .access = &access_event, .unrecorded = "sure", .note = "", .principal = "alice"};
    struct session_row row;
    struct json *j = NULL;
    struct buf out, text;
    struct error err;

    (void)state;
    (void)snprintf(v.principal, sizeof v.principal, "al\"ice\n");
    v.grade = VERDICT_EXACT;
    v.candidates = 2;
    v.event_us = RUN_US + 1;
    s.sessions = 1;
    buf_init(&out, 1U << 20);
    buf_init(&text, 1U << 16);
    session_row_init(&row);
    MUST(json_open(&j, &err));
    MUST(rows_verdict(&out, &s, &v, &err));
    assert_null(memchr(buf_data(&out), '\n', out.len));
    assert_int_equal(json_text(j, (char *)buf_data(&out), out.len, "$.principal", &text, &err), 1);
    assert_string_equal(buf_text(&text, NULL), "al\"ice\n");
    buf_reset(&text);
    assert_int_equal(json_text(j, (char *)buf_data(&out), out.len, "$.event_at", &text, &err), 1);
    assert_string_equal(buf_text(&text, NULL), "2026-11-27T12:00:00.000001Z");
    buf_reset(&text);
    assert_int_equal(
        json_text(j, (char *)buf_data(&out), out.len, "$.candidates[1].event", &text, &err), 1);
    buf_reset(&out);
    MUST(rows_access(&out, &told, &err));
    buf_reset(&text);
    assert_int_equal(json_text(j, (char *)buf_data(&out), out.len, "$.unrecorded", &text, &err), 1);
    assert_string_equal(buf_text(&text, NULL), "sure");
    json_close(j);
    session_row_clear(&row);
    buf_clear(&out);
    buf_clear(&text);
}

static void objects_lie_under_their_day(void **state)
{
    static const char row[] = "{\"a\":1}";
    char dir[64], url[80], pattern[200];
    struct depot *d = NULL;
    struct table *t = NULL;
    int64_t rows = 0, objects = 0;
    struct buf bytes, text;
    struct error err;
    glob_t g;

    (void)state;
    assert_int_equal(tempdir_make(dir, sizeof dir), 0);
    (void)snprintf(url, sizeof url, "file://%s", dir);
    MUST(depot_open(&d, url, NULL, &err));
    MUST(table_open(&t, d, "verdicts", RUN_US, &err));
    MUST(table_end(t, &rows, &objects, &err));
    assert_int_equal(objects, 0); /* nothing, for nothing */
    for (int i = 0; i < 3; i++) {
        MUST(table_row(t, row, strlen(row), &err));
    }
    MUST(table_end(t, &rows, &objects, &err));
    assert_int_equal(rows, 3);
    assert_int_equal(objects, 1);
    table_close(t);
    (void)snprintf(pattern, sizeof pattern,
                   "%s/tables/verdicts/dt=2026-11-27/20261127T120000Z-*.json.gz", dir);
    assert_int_equal(glob(pattern, 0, NULL, &g), 0);
    assert_int_equal(g.gl_pathc, 1);
    assert_null(strchr(g.gl_pathv[0], ':'));
    buf_init(&bytes, 1U << 16);
    buf_init(&text, 1U << 16);
    MUST(io_read_file(AT_FDCWD, g.gl_pathv[0], 1U << 16, &bytes, &err));
    MUST(segment_unpack(buf_data(&bytes), bytes.len, 1U << 16, &text, &err));
    assert_string_equal(buf_text(&text, NULL), "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n");
    globfree(&g);
    buf_clear(&bytes);
    buf_clear(&text);
    depot_close(d);
    assert_int_equal(tempdir_drop(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_objects_with_every_column),
        cmocka_unit_test(objects_lie_under_their_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
