/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that come in as they were sealed: what a writer takes, and what it does not believe. */
#include "tests/unit/writer_rig.h"

#include "storage/wire/facts.h"
#include "storage/wire/import.h"

struct foreign { /* a session that was recorded elsewhere */
    uint8_t id[16], epoch[16], head[CHAIN_HASH], sha[CHAIN_HASH];
    struct buf facts;
    struct import_session s;
    struct import_segment g;
    uint8_t bytes[200000];
};

static struct control *talk(struct rig *g)
{
    struct control *c = NULL;
    struct error err;

    MUST(control_open(&c, g->control, g->db, &err));
    return c;
}

static void make(struct foreign *s, uint8_t id)
{
    struct error err;

    memset(s, 0, sizeof *s);
    memset(s->id, id, sizeof s->id);
    memset(s->epoch, 0xee, sizeof s->epoch);
    buf_init(&s->facts, FACTS_MAX);
    MUST(facts_put_text(&s->facts, "title", "a title", &err));
    s->s = (struct import_session){.id = s->id,
                                   .epoch = s->epoch,
                                   .host = "elsewhere",
                                   .user = "alice",
                                   .kind = "tty",
                                   .title = "a title",
                                   .tty = "/dev/pts/1",
                                   .command = "[\"sh\"]",
                                   .state = "open",
                                   .exit = "",
                                   .flags = "imported",
                                   .uid = 1000,
                                   .cols = 80,
                                   .rows = 24,
                                   .began_us = 77,
                                   .facts = &s->facts};
    chain_start("elsewhere", s->epoch, s->id, s->head);
}

/* The next segment, of several pieces. */
static void next(struct foreign *s, bool final)
{
    int64_t number = s->g.bytes == NULL ? 0 : s->g.number + 1;

    memset(s->bytes, (int)number + 1, sizeof s->bytes);
    chain_sha256(s->bytes, sizeof s->bytes, s->sha);
    chain_extend(s->head, (uint64_t)number, s->sha);
    s->g = (struct import_segment){.number = number,
                                   .events = 2,
                                   .bytes_out = 7,
                                   .final = final,
                                   .sha256 = s->sha,
                                   .head = s->head,
                                   .bytes = s->bytes,
                                   .len = sizeof s->bytes};
}

static void expect_row(struct rig *g, const struct foreign *s, enum session_state state,
                       int64_t segments)
{
    struct session_row row;
    struct reader *r = NULL;
    struct error err;
    char hex[33];

    session_row_init(&row);
    MUST(reader_open(&r, g->db, &err));
    MUST(reader_find(r, io_hex(s->id, 16, hex), &row, &err));
    assert_int_equal(row.state, state);
    assert_int_equal(row.segments, segments);
    assert_int_equal(row.shipped, segments);
    assert_string_equal(row.host, "elsewhere");
    assert_string_equal(row.title, "a title");
    assert_string_equal(row.tty, "/dev/pts/1");
    assert_true(session_row_imported(&row) && !session_row_dead(&row));
    assert_int_equal(row.started_us, 77);
    assert_int_equal(row.facts.len, s->facts.len);
    session_row_clear(&row);
    reader_close(r);
}

static void takes_it_and_only_once(void **state)
{
    struct rig *g = *state;
    struct control *c = talk(g);
    struct foreign s;
    struct error err;
    int64_t segments = -1, imported = -1;

    make(&s, 1);
    MUST(control_import_session(c, &s.s, &segments, &imported, &err));
    assert_true(segments == 0 && imported == 1);
    next(&s, false);
    MUST(control_import_segment(c, s.id, &s.g, &err));
    REFUSES(control_import_segment(c, s.id, &s.g, &err), ERR_USAGE);
    next(&s, true);
    MUST(control_import_segment(c, s.id, &s.g, &err));
    expect_row(g, &s, SESSION_OPEN, 2);
    s.s.state = "done";
    s.s.ended_us = 99;
    MUST(control_import_session(c, &s.s, &segments, &imported, &err));
    assert_true(segments == 2 && imported == 1);
    expect_row(g, &s, SESSION_DONE, 2);
    next(&s, false); /* behind the final one */
    REFUSES(control_import_segment(c, s.id, &s.g, &err), ERR_USAGE);
    expect_row(g, &s, SESSION_DONE, 2);
    control_close(c);
    buf_clear(&s.facts);
}

static void believes_no_other_session_and_no_other_chain(void **state)
{
    struct rig *g = *state;
    struct control *c = talk(g);
    struct foreign s, other;
    struct error err;
    int64_t segments, imported;

    make(&s, 2);
    next(&s, false);
    REFUSES(control_import_segment(c, s.id, &s.g, &err), ERR_USAGE); /* of no session */
    MUST(control_import_session(c, &s.s, &segments, &imported, &err));
    other = s;
    other.s.user = "mallory";
    REFUSES(control_import_session(c, &other.s, &segments, &imported, &err), ERR_USAGE);
    s.bytes[100000] ^= 1;
    REFUSES(control_import_segment(c, s.id, &s.g, &err), ERR_USAGE);
    s.bytes[100000] ^= 1;
    s.head[0] ^= 1;
    REFUSES(control_import_segment(c, s.id, &s.g, &err), ERR_USAGE);
    s.head[0] ^= 1;
    s.g.number = 1;
    REFUSES(control_import_segment(c, s.id, &s.g, &err), ERR_USAGE);
    s.g.number = 0;
    MUST(control_import_segment(c, s.id, &s.g, &err));
    expect_row(g, &s, SESSION_OPEN, 1);
    control_close(c);
    buf_clear(&s.facts);
}

/* An imported session has no processes that could have died. */
static void a_writer_that_starts_again_leaves_it_alone(void **state)
{
    struct rig *g = *state;
    struct control *c = talk(g);
    struct foreign s;
    struct error err;
    int64_t segments, imported, horizon;

    make(&s, 3);
    MUST(control_import_session(c, &s.s, &segments, &imported, &err));
    next(&s, false);
    MUST(control_import_segment(c, s.id, &s.g, &err));
    control_close(c);
    rig_stop(g, SIGKILL);
    rig_start(g);
    c = talk(g);
    MUST(control_seal_now(c, NULL, &horizon, &err));
    expect_row(g, &s, SESSION_OPEN, 1);
    MUST(control_prune(c, s.id, 10, 10, &segments, &imported, &err));
    assert_int_equal(segments, 0);
    next(&s, true);
    MUST(control_import_segment(c, s.id, &s.g, &err));
    expect_row(g, &s, SESSION_OPEN, 2);
    control_close(c);
    buf_clear(&s.facts);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(takes_it_and_only_once),
        RIG_TEST(believes_no_other_session_and_no_other_chain),
        RIG_TEST(a_writer_that_starts_again_leaves_it_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
