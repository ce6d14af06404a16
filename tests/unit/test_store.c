/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence database: what the store writes, the reader finds; foreign and newer files are
 * refused and left as they are; a segment takes its place in the chain or not at all. */
#include "tests/unit/evidence.h"

#include <errno.h>
#include <sqlite3.h>

#include "common/io.h"
#include "storage/db/reader.h"
#include "storage/db/schema.h"

static void sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) {
        fail_msg("%s: %s", text, why);
    }
    sqlite3_close(db);
}

/* ---- opening ---- */

static void makes_the_schema(void **state)
{
    struct evidence *e = *state;

    assert_int_equal(evidence_number(e->db, "PRAGMA application_id"), SCHEMA_APPLICATION_ID);
    assert_int_equal(evidence_number(e->db, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_int_equal(evidence_number(e->db, "PRAGMA auto_vacuum"), 2);
    assert_int_equal(evidence_number(e->db, "PRAGMA page_size"), 4096);
    assert_int_equal(evidence_number(e->db,
                                     "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
                                     "name IN ('meta', 'session', 'session_tail', 'segment')"),
                     4);
    assert_int_equal(evidence_number(e->db,
                                     "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' "
                                     "AND type = 'table' AND NOT strict AND name NOT LIKE "
                                     "'sqlite%'"),
                     0);
}

static void opens_what_it_made(void **state)
{
    struct evidence *e = *state;
    struct error err;
    struct buf text;

    buf_init(&text, 100);
    MUST(store_meta_set(e->store, "host", "one", &err));
    MUST(store_meta_set(e->store, "host", "two", &err));
    evidence_close(e);
    evidence_open(e);
    assert_int_equal(store_meta_get(e->store, "host", &text, &err), 1);
    assert_string_equal(buf_text(&text, &err), "two");
    assert_int_equal(store_meta_get(e->store, "nothing", &text, &err), 0);
    buf_clear(&text);
}

static void read_whole(const char *path, struct buf *ret)
{
    struct error err;

    buf_reset(ret);
    MUST(io_read_file(-1, path, 1U << 24, ret, &err));
}

/* Neither the writer nor a reader takes it, and not a byte of it changes. */
static void refuses_file(struct evidence *e, const char *name, const char *says)
{
    char path[300];
    struct store_config config = {.path = path, .busy_ms = 100};
    struct store *s = NULL;
    struct reader *r = NULL;
    struct buf before, after;
    struct error err;

    (void)snprintf(path, sizeof path, "%s/%s", e->dir, name);
    buf_init(&before, 1U << 24);
    buf_init(&after, 1U << 24);
    read_whole(path, &before);
    REFUSES(store_open(&s, &config, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, says));
    assert_non_null(strstr(err.text, path));
    REFUSES(reader_open(&r, path, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, says));
    read_whole(path, &after);
    assert_int_equal(after.len, before.len);
    assert_memory_equal(buf_data(&after), buf_data(&before), before.len);
    buf_clear(&before);
    buf_clear(&after);
}

static int count_connection(void *user, const struct connection_row *c)
{
    int *n = user;

    *n += 1;
    assert_int_equal(c->monitor_pid, 77);
    return 0;
}

static void keeps_connections(struct evidence *e)
{
    struct connection_row c, out;
    struct reader *r = NULL;
    struct error err;
    int n = 0;

    connection_row_init(&c);
    connection_row_init(&out);
    memset(c.id, 9, sizeof c.id);
    clock_boot_id(c.boot);
    c.monitor_pid = 77;
    c.opened_us = 1;
    MUST(store_connection_insert(e->store, &c, &err));
    assert_int_equal(store_connection_open(e->store, 0, &out, &err), 1);
    assert_memory_equal(out.id, c.id, sizeof c.id);
    assert_int_equal(store_connection_open(e->store, out.row, &out, &err), 0);
    MUST(reader_open(&r, e->db, &err));
    MUST(reader_connections(r, true, count_connection, &n, &err));
    assert_int_equal(n, 0);
    MUST(store_connection_class(e->store, c.row, "unrecorded", &err));
    MUST(reader_connections(r, true, count_connection, &n, &err));
    assert_int_equal(n, 1);
    MUST(store_connection_session(e->store, c.row, "shell", &err));
    MUST(store_connection_class(e->store, c.row, "none", &err));
    MUST(reader_connections(r, true, count_connection, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(evidence_number(e->db, "SELECT class = 'shell' FROM connection"), 1);
    MUST(store_connection_close(e->store, c.row, 5, &err));
    assert_int_equal(store_connection_open(e->store, 0, &out, &err), 0);
    reader_close(r);
    connection_row_clear(&c);
    connection_row_clear(&out);
}

/* What the first version left is read as it is, and brought up by the next writer, nothing lost. */
static void brings_version_1_up(void **state)
{
    struct evidence *e = *state;
    struct session_row s, out;
    struct reader *r = NULL;
    struct error err;
    int n = 0;

    evidence_row(&s, 1, 2, "kept");
    evidence_insert(e, &s);
    evidence_close(e);
    sql(e->db, "DROP TABLE connection; PRAGMA user_version = 1");
    MUST(reader_open(&r, e->db, &err));
    session_row_init(&out);
    MUST(reader_find(r, "title:kept", &out, &err));
    MUST(reader_connections(r, false, count_connection, &n, &err));
    assert_int_equal(n, 0);
    reader_close(r);
    evidence_open(e);
    assert_int_equal(evidence_number(e->db, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_int_equal(evidence_number(e->db, "SELECT count(*) FROM session"), 1);
    keeps_connections(e);
    session_row_clear(&s);
    session_row_clear(&out);
}

static void refuses_foreign_databases(void **state)
{
    struct evidence *e = *state;
    char path[300];

    (void)snprintf(path, sizeof path, "%s/foreign.db", e->dir);
    sql(path, "CREATE TABLE places (url TEXT); INSERT INTO places VALUES ('x')");
    refuses_file(e, "foreign.db", "no ttytrail evidence database");
    (void)snprintf(path, sizeof path, "%s/stamped.db", e->dir);
    sql(path, "CREATE TABLE session (row INTEGER); PRAGMA user_version = 1");
    refuses_file(e, "stamped.db", "no ttytrail evidence database");
}

static void refuses_newer_databases(void **state)
{
    struct evidence *e = *state;
    char path[300], text[200];

    (void)snprintf(path, sizeof path, "%s/newer.db", e->dir);
    (void)snprintf(text, sizeof text,
                   "CREATE TABLE future (x); PRAGMA application_id = %d; PRAGMA user_version = %d",
                   SCHEMA_APPLICATION_ID, SCHEMA_VERSION + 1);
    sql(path, text);
    refuses_file(e, "newer.db", "of version 3");
}

static void refuses_what_is_no_database(void **state)
{
    struct evidence *e = *state;
    struct reader *r = NULL;
    struct error err;
    char path[300], text[5000];

    (void)snprintf(path, sizeof path, "%s/text", e->dir);
    memset(text, 'x', sizeof text);
    MUST(io_create_file(-1, path, 0600, text, sizeof text, &err));
    refuses_file(e, "text", "not a database");
    (void)snprintf(path, sizeof path, "%s/nowhere", e->dir);
    REFUSES(reader_open(&r, path, &err), ERR_SYSTEM);
    assert_int_equal(err.code, ENOENT);
}

/* What a power cut leaves of a database in the making; anything else of that size is refused. */
static void begins_anew_what_was_never_made(void **state)
{
    static const struct {
        size_t size, other; /* the byte that is not zero; none at 0 */
        bool anew;
    } rows[] = {{4096, 0, true},  {4096, 4095, true}, {4096, 512, true}, {4096, 511, false},
                {8192, 0, false}, {512, 0, false},    {4096, 1, false}};
    struct evidence *e = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct store *s = NULL;
        struct error err;
        char path[300], name[20];
        uint8_t bytes[8192] = {0};
        struct store_config config = {.path = path};

        (void)snprintf(name, sizeof name, "unborn%zu", i);
        (void)snprintf(path, sizeof path, "%s/%s", e->dir, name);
        bytes[rows[i].other] = rows[i].other != 0;
        MUST(io_create_file(-1, path, 0600, bytes, rows[i].size, &err));
        if (rows[i].anew) {
            MUST(store_open(&s, &config, &err));
            MUST(store_meta_set(s, "host", "one", &err));
            store_close(s, false);
        } else {
            refuses_file(e, name, "not a database");
        }
    }
}

static void two_writers_may_find_a_new_file(void **state)
{
    struct evidence *e = *state;
    struct store *a = NULL, *b = NULL;
    struct store_config config = {.path = e->db};
    struct error err;

    MUST(store_open(&a, &config, &err));
    MUST(store_open(&b, &config, &err));
    MUST(store_begin(a, &err));
    REFUSES(store_begin(b, &err), ERR_RETRY);
    store_rollback(a);
    MUST(store_begin(b, &err));
    store_rollback(b);
    store_close(a, true);
    store_close(b, true);
}

/* ---- sessions ---- */

static void same_session(const struct session_row *a, const struct session_row *b)
{
    assert_int_equal(a->row, b->row);
    assert_memory_equal(a->id, b->id, CHAIN_ID);
    assert_memory_equal(a->epoch, b->epoch, CHAIN_ID);
    assert_string_equal(a->kind, b->kind);
    assert_string_equal(a->host, b->host);
    assert_string_equal(a->user, b->user);
    assert_string_equal(a->title, b->title);
    assert_string_equal(a->tty, b->tty);
    assert_string_equal(a->command, b->command);
    assert_string_equal(a->flags, b->flags);
    assert_int_equal(a->uid, b->uid);
    assert_int_equal(a->cols, b->cols);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->started_us, b->started_us);
    assert_memory_equal(a->head, b->head, CHAIN_HASH);
    assert_memory_equal(a->tail_base, b->tail_base, CHAIN_HASH);
    assert_string_equal(a->writer_boot, b->writer_boot);
    assert_int_equal(a->recorder_pid, b->recorder_pid);
    assert_int_equal(a->recorder_start, b->recorder_start);
    assert_int_equal(a->facts.len, b->facts.len);
    assert_memory_equal(buf_data(&a->facts), buf_data(&b->facts), a->facts.len);
}

static void keeps_a_session(void **state)
{
    struct evidence *e = *state;
    struct session_row in, out;
    struct reader *r = NULL;
    struct error err;
    uint64_t seq = 9;
    uint8_t other[16] = {0};

    evidence_row(&in, 0x11, 0x22, "it's; \"a\" \xc3\xa9 title");
    session_row_init(&out);
    MUST(buf_append(&in.facts, "\x01k\x00\x00\x00\x01\x00", 7, &err));
    evidence_insert(e, &in);
    assert_int_equal(store_session_load(e->store, in.id, &out, &seq, &err), 1);
    same_session(&in, &out);
    assert_int_equal(seq, 0);
    assert_int_equal(out.state, SESSION_OPEN);
    assert_int_equal(store_session_load(e->store, other, &out, &seq, &err), 0);
    MUST(reader_open(&r, e->db, &err));
    assert_int_equal(reader_session(r, in.row, &out, &err), 1);
    same_session(&in, &out);
    assert_int_equal(reader_session(r, in.row + 1, &out, &err), 0);
    MUST(reader_check(r, &err));
    reader_close(r);
    session_row_clear(&in);
    session_row_clear(&out);
}

static void refuses_the_same_id_twice(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    struct error err;

    evidence_row(&s, 1, 1, "");
    evidence_insert(e, &s);
    MUST(store_begin(e->store, &err));
    assert_int_equal(store_session_insert(e->store, &s, &err), -1);
    store_rollback(e->store);
    assert_int_equal(evidence_number(e->db, "SELECT count(*) FROM session"), 1);
    session_row_clear(&s);
}

static void adopts_only_from_the_writer_it_names(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    struct store_process us = {.pid = 77, .start = 78}, old = {.pid = 1, .start = 1};
    struct error err;

    memset(us.boot, 'b', 32);
    evidence_row(&s, 1, 1, "");
    evidence_insert(e, &s);
    memcpy(old.boot, s.writer_boot, sizeof old.boot);
    assert_int_equal(store_session_adopt(e->store, s.row, &us, &old, &err), 0);
    old.pid = s.writer_pid;
    old.start = s.writer_start;
    assert_int_equal(store_session_adopt(e->store, s.row, &us, &old, &err), 1);
    assert_int_equal(store_session_adopt(e->store, s.row, &us, &old, &err), 0);
    session_row_clear(&s);
}

static void closes_and_finds_unfinished(void **state)
{
    struct evidence *e = *state;
    struct session_row s[2], out;
    struct store_unfinished u;
    struct error err;
    uint64_t seq;

    session_row_init(&out);
    for (int i = 0; i < 2; i++) {
        evidence_row(&s[i], (uint8_t)i, 9, "");
        evidence_insert(e, &s[i]);
    }
    MUST(store_session_pending(e->store, s[1].row, 4711, &err));
    MUST(store_session_dead(e->store, s[1].row, 10, &err));
    MUST(store_session_dead(e->store, s[1].row, 20, &err)); /* the first finding counts */
    MUST(store_session_close(e->store, s[0].row, SESSION_DONE, 55, "exit 7", "stalled", &err));
    assert_int_equal(store_unfinished(e->store, 0, &u, &err), 1);
    assert_int_equal(u.row, s[0].row);
    assert_false(u.open);
    assert_true(u.pending_us == UINT64_MAX);
    assert_int_equal(store_unfinished(e->store, u.row, &u, &err), 1);
    assert_true(u.open);
    assert_int_equal(u.pending_us, 4711);
    assert_int_equal(u.dead_since_us, 10);
    assert_int_equal(u.writer.pid, getpid());
    assert_int_equal(store_unfinished(e->store, u.row, &u, &err), 0);
    assert_int_equal(store_session_load(e->store, s[0].id, &out, &seq, &err), 1);
    assert_int_equal(out.state, SESSION_DONE);
    assert_int_equal(out.ended_us, 55);
    assert_string_equal(out.exit, "exit 7");
    assert_string_equal(out.flags, "stalled");
    for (int i = 0; i < 2; i++) {
        session_row_clear(&s[i]);
    }
    session_row_clear(&out);
}

/* ---- tail and segments ---- */

static void adds_tail(struct evidence *e, const struct session_row *s, uint8_t hash[CHAIN_HASH],
                      const char *text, uint64_t seq, int64_t *ret_row)
{
    struct buf frame;
    struct error err;

    buf_init(&frame, 1000);
    evidence_frame(&frame, seq, seq * 1000, 'o', text);
    chain_tail(hash, buf_data(&frame), frame.len);
    MUST(
        store_tail_insert(e->store, s->row, seq, hash, buf_data(&frame), frame.len, ret_row, &err));
    buf_clear(&frame);
}

static void says_whether_the_tail_holds(void **state)
{
    struct evidence *e = *state;
    struct session_row s, out;
    struct reader *r = NULL;
    struct buf frames;
    struct error err;
    struct event ev;
    uint8_t hash[CHAIN_HASH];
    int64_t row;
    size_t used;
    bool ok = false;

    evidence_row(&s, 1, 1, "");
    evidence_insert(e, &s);
    memcpy(hash, s.tail_base, CHAIN_HASH);
    adds_tail(e, &s, hash, "one", 1, &row);
    adds_tail(e, &s, hash, "two", 2, &row);
    session_row_init(&out);
    buf_init(&frames, 1000);
    MUST(reader_open(&r, e->db, &err));
    assert_int_equal(reader_snapshot(r, s.row, &out, &frames, &ok, &err), 1);
    assert_true(ok);
    assert_int_equal(event_next(buf_data(&frames), frames.len, &ev, &used, &err), 1);
    assert_memory_equal(ev.bytes, "one", 3);
    assert_int_equal(frames.len, 2 * used);
    sql(e->db,
        "UPDATE session_tail SET frames = CAST(replace(CAST(frames AS TEXT), 'two', 'owt') AS BLOB)"
        " WHERE 0; UPDATE session_tail SET frames = (SELECT frames FROM session_tail WHERE "
        "last_seq = 1) "
        "WHERE last_seq = 2");
    buf_reset(&frames);
    assert_int_equal(reader_snapshot(r, s.row, &out, &frames, &ok, &err), 1);
    assert_false(ok);
    assert_int_equal(reader_snapshot(r, s.row + 1, &out, &frames, &ok, &err), 0);
    reader_close(r);
    buf_clear(&frames);
    session_row_clear(&s);
    session_row_clear(&out);
}

static void takes_segments_in_order_only(void **state)
{
    struct evidence *e = *state;
    struct session_row s, out;
    struct store_segment g;
    struct segment_row got;
    struct reader *r = NULL;
    struct buf bytes;
    struct error err;
    uint64_t seq = 0;

    evidence_row(&s, 1, 1, "");
    evidence_insert(e, &s);
    session_row_init(&out);
    buf_init(&bytes, 100);
    for (int64_t n = 0; n < 3; n++) {
        g = evidence_segment(&s, n, n == 2);
        MUST(store_segment_insert(e->store, &g, &err));
    }
    MUST(store_begin(e->store, &err));
    g = evidence_segment(&s, 1, false); /* again */
    assert_int_equal(store_segment_insert(e->store, &g, &err), -1);
    store_rollback(e->store);
    MUST(store_begin(e->store, &err));
    g = evidence_segment(&s, 5, false); /* with a gap */
    REFUSES(store_segment_insert(e->store, &g, &err), ERR_CORRUPT);
    store_rollback(e->store);
    assert_int_equal(evidence_number(e->db, "SELECT count(*) FROM segment"), 3);
    assert_int_equal(store_session_load(e->store, s.id, &out, &seq, &err), 1);
    assert_int_equal(seq, 7);
    assert_int_equal(out.segments, 3);
    assert_true(out.final);
    assert_int_equal(out.events, 6);
    assert_int_equal(out.bytes_out, 21);
    assert_int_equal(out.bytes_in, 9);
    assert_int_equal(out.redactions, 3);
    assert_int_equal(out.last_t_us, 300);
    MUST(reader_open(&r, e->db, &err));
    assert_int_equal(reader_segment(r, s.row, 2, &got, &bytes, &err), 1);
    assert_true(got.final);
    assert_string_equal(got.codec, "gzip");
    assert_int_equal(got.size, 6);
    assert_memory_equal(buf_data(&bytes), "packed", 6);
    assert_memory_equal(got.sha256, g.sha256, CHAIN_HASH);
    assert_int_equal(reader_segment(r, s.row, 3, &got, NULL, &err), 0);
    reader_close(r);
    buf_clear(&bytes);
    session_row_clear(&s);
    session_row_clear(&out);
}

static void rolls_back_whole(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    uint8_t hash[CHAIN_HASH] = {0};
    struct error err;
    int64_t row;

    MUST(store_begin(e->store, &err));
    evidence_row(&s, 1, 1, "");
    MUST(store_session_insert(e->store, &s, &err));
    adds_tail(e, &s, hash, "lost", 1, &row);
    store_rollback(e->store);
    store_rollback(e->store); /* once more does nothing */
    assert_int_equal(evidence_number(e->db, "SELECT count(*) FROM session"), 0);
    assert_int_equal(evidence_number(e->db, "SELECT count(*) FROM session_tail"), 0);
    session_row_clear(&s);
}

#define DB_TEST(f) cmocka_unit_test_setup_teardown(f, evidence_setup, evidence_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(makes_the_schema),
        DB_TEST(opens_what_it_made),
        DB_TEST(brings_version_1_up),
        DB_TEST(refuses_foreign_databases),
        DB_TEST(refuses_newer_databases),
        DB_TEST(refuses_what_is_no_database),
        DB_TEST(begins_anew_what_was_never_made),
        DB_TEST(two_writers_may_find_a_new_file),
        DB_TEST(keeps_a_session),
        DB_TEST(refuses_the_same_id_twice),
        DB_TEST(adopts_only_from_the_writer_it_names),
        DB_TEST(closes_and_finds_unfinished),
        DB_TEST(says_whether_the_tail_holds),
        DB_TEST(takes_segments_in_order_only),
        DB_TEST(rolls_back_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
