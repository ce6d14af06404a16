/* SPDX-License-Identifier: Apache-2.0 */
/* The reading side: what is not shipped, sessions by the words of the command line, dead ones shown
 * as cut. */
#include "tests/unit/evidence.h"

#include <signal.h>
#include <sys/wait.h>

#include "storage/db/reader.h"

struct seen {
    int64_t session[600], number[600];
    int n, stop_at;
};

static int on_unshipped(void *user, const struct unshipped *u)
{
    struct seen *seen = user;

    seen->session[seen->n] = u->session_row;
    seen->number[seen->n++] = u->number;
    return seen->n == seen->stop_at ? 42 : 0;
}

static void lists_what_is_not_shipped(void **state)
{
    struct evidence *e = *state;
    struct session_row s[2];
    struct seen seen = {.n = 0};
    struct reader *r = NULL;
    struct error err;
    int64_t horizon = 0;

    MUST(store_begin(e->store, &err));
    for (int i = 0; i < 2; i++) {
        evidence_row(&s[i], (uint8_t)i, 7, "");
        MUST(store_session_insert(e->store, &s[i], &err));
    }
    for (int64_t n = 0; n < 300; n++) { /* more than one page */
        for (int i = 0; i < 2; i++) {
            struct store_segment g = evidence_segment(&s[i], n, false);

            MUST(store_segment_insert(e->store, &g, &err));
        }
        if (n == 199) {
            MUST(store_horizon(e->store, &horizon, &err));
        }
    }
    MUST(store_commit(e->store, &err));
    MUST(store_sync(e->store, &err));
    MUST(store_session_shipped(e->store, s[0].id, 10, &err));
    MUST(store_session_shipped(e->store, s[0].id, 4, &err)); /* never backwards */
    MUST(reader_open(&r, e->db, &err));
    MUST(reader_unshipped(r, horizon, on_unshipped, &seen, &err));
    assert_int_equal(seen.n, 400 - 10);
    for (int i = 0, next[2] = {10, 0}; i < seen.n; i++) {
        int which = seen.session[i] == s[1].row;

        assert_int_equal(seen.number[i], next[which]++);
    }
    seen = (struct seen){.stop_at = 3};
    assert_int_equal(reader_unshipped(r, INT64_MAX, on_unshipped, &seen, &err), 42);
    assert_int_equal(seen.n, 3);
    /* Nobody ships what does not exist. */
    MUST(store_session_shipped(e->store, s[0].id, 100000, &err));
    assert_int_equal(evidence_number(e->db, "SELECT shipped FROM session WHERE row = 1"), 300);
    reader_close(r);
    session_row_clear(&s[0]);
    session_row_clear(&s[1]);
}

/* ---- finding ---- */

static void finds_sessions_by_their_words(void **state)
{
    static const struct {
        const char *spec, *title, *says;
    } cases[] = {
        {"last", "b", NULL},
        {"title:a", "a", NULL},
        {"title:zz", NULL, "no session titled 'zz'"},
        {"title:\x1b[2J", NULL, "\\x1b[2J"},
        {"ab010101", "a", NULL},
        {"AB010101010101010101010101010101", "a", NULL},
        {"ac01", "b", NULL},
        {"ab0", NULL, "no session"},
        {"abff", NULL, "no session abff"},
        {"xyz!", NULL, "is no session"},
        {"ab0101010101010101010101010101010101", NULL, "is no session"},
        {"dddd", NULL, "several"},
        {"", NULL, "is no session"},
    };
    struct evidence *e = *state;
    struct session_row s, out;
    struct reader *r = NULL;
    struct error err;

    MUST(reader_open(&r, e->db, &err));
    session_row_init(&out);
    REFUSES(reader_find(r, "last", &out, &err), ERR_USAGE);
    evidence_row(&s, 0xdd, 0xdd, "d1");
    evidence_insert(e, &s);
    s.id[15] = 1;
    evidence_insert(e, &s);
    session_row_clear(&s);
    evidence_row(&s, 0xab, 1, "a");
    evidence_insert(e, &s);
    session_row_clear(&s);
    evidence_row(&s, 0xac, 1, "b");
    evidence_insert(e, &s);
    session_row_clear(&s);
    evidence_row(&s, 0xee, 1, "journal");
    free(s.kind);
    s.kind = check_copy("host");
    evidence_insert(e, &s);
    session_row_clear(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].title != NULL) {
            MUST(reader_find(r, cases[i].spec, &out, &err));
            assert_string_equal(out.title, cases[i].title);
        } else {
            REFUSES(reader_find(r, cases[i].spec, &out, &err), ERR_USAGE);
            if (strstr(err.text, cases[i].says) == NULL) {
                fail_msg("%s: %s", cases[i].spec, err.text);
            }
        }
    }
    session_row_clear(&out);
    reader_close(r);
}

static int count(void *user, const struct session_row *s)
{
    int64_t *last = user;

    assert_true(s->row > *last);
    *last = s->row;
    return 0;
}

static void lists_every_session_once(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    struct reader *r = NULL;
    struct error err;
    int64_t last = 0;

    MUST(store_begin(e->store, &err));
    for (int i = 0; i < 600; i++) {
        evidence_row(&s, (uint8_t)(i >> 8), (uint8_t)i, "");
        MUST(store_session_insert(e->store, &s, &err));
        session_row_clear(&s);
    }
    MUST(store_commit(e->store, &err));
    MUST(reader_open(&r, e->db, &err));
    MUST(reader_sessions(r, count, &last, &err));
    assert_int_equal(last, 600);
    reader_close(r);
}

static int nth(void *user, const struct session_row *s)
{
    int64_t *n = user;

    assert_false(s->final);
    assert_int_equal(s->row, 2 * ++*n);
    return 0;
}

static void lists_what_is_not_sealed(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    struct reader *r = NULL;
    struct error err;
    int64_t n = 0;

    MUST(store_begin(e->store, &err));
    for (int i = 0; i < 1200; i++) {
        struct store_segment g;

        evidence_row(&s, (uint8_t)(i >> 8), (uint8_t)i, "");
        MUST(store_session_insert(e->store, &s, &err));
        g = evidence_segment(&s, 0, i % 2 == 0);
        MUST(store_segment_insert(e->store, &g, &err));
        session_row_clear(&s);
    }
    MUST(store_commit(e->store, &err));
    MUST(reader_open(&r, e->db, &err));
    MUST(reader_unfinished(r, nth, &n, &err));
    assert_int_equal(n, 600);
    reader_close(r);
}

/* A process that is over, by pid and start. */
static void dead_process(int64_t *pid, int64_t *start)
{
    pid_t child = fork();

    if (child == 0) {
        for (;;) {
            pause();
        }
    }
    assert_true(child > 0);
    *pid = child;
    *start = (int64_t)clock_process_start(child);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void shows_dead_sessions_as_cut(void **state)
{
    struct evidence *e = *state;
    struct session_row s, out;
    struct reader *r = NULL;
    struct error err;

    session_row_init(&out);
    MUST(reader_open(&r, e->db, &err));
    evidence_row(&s, 1, 1, ""); /* both alive */
    evidence_insert(e, &s);
    assert_int_equal(reader_session(r, s.row, &out, &err), 1);
    assert_int_equal(out.state, SESSION_OPEN);
    s.id[0] = 2; /* the recorder is dead, the writer will say so itself */
    dead_process(&s.recorder_pid, &s.recorder_start);
    evidence_insert(e, &s);
    assert_int_equal(reader_session(r, s.row, &out, &err), 1);
    assert_int_equal(out.state, SESSION_OPEN);
    s.id[0] = 3; /* both are dead */
    dead_process(&s.writer_pid, &s.writer_start);
    evidence_insert(e, &s);
    assert_int_equal(reader_session(r, s.row, &out, &err), 1);
    assert_int_equal(out.state, SESSION_CUT);
    s.id[0] = 4; /* of another boot, where the numbers mean nothing */
    s.recorder_pid = s.writer_pid = getpid();
    s.recorder_start = s.writer_start = (int64_t)clock_process_start(getpid());
    memset(s.recorder_boot, '7', 32);
    evidence_insert(e, &s);
    assert_int_equal(reader_session(r, s.row, &out, &err), 1);
    assert_int_equal(out.state, SESSION_CUT);
    reader_close(r);
    session_row_clear(&s);
    session_row_clear(&out);
}

#define DB_TEST(f) cmocka_unit_test_setup_teardown(f, evidence_setup, evidence_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(lists_what_is_not_shipped),  DB_TEST(finds_sessions_by_their_words),
        DB_TEST(lists_every_session_once),   DB_TEST(lists_what_is_not_sealed),
        DB_TEST(shows_dead_sessions_as_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
