/* SPDX-License-Identifier: Apache-2.0 */
/* A pack as it is read for sending: right from anywhere, and many small segments at once. */
#include "tests/unit/evidence.h"

#include "shipper/pack.h"

#define SMALL   1000
#define LARGE   200000
#define PARTS   400
#define TOO_FEW (64 * 1024) /* what a send may be expected to take */

/* ${n} segments of one session, each of a letter of its own: small ones, and a large one amid. */
static void fill(struct evidence *e, struct session_row *s, struct pack *p, int n)
{
    static uint8_t bytes[LARGE];
    struct error err;

    evidence_row(s, 1, 7, "t");
    evidence_insert(e, s);
    MUST(store_begin(e->store, &err));
    for (int i = 0; i < n; i++) {
        struct store_segment g = evidence_segment(s, i, i == n - 1);

        g.bytes = bytes;
        g.len = i == n / 2 ? LARGE : SMALL;
        memset(bytes, 'a' + i % 26, g.len);
        chain_sha256(g.bytes, g.len, g.sha256);
        MUST(store_segment_insert(e->store, &g, &err));
        MUST(pack_add(p, s->row, i, g.len, g.sha256, &err));
    }
    MUST(store_commit(e->store, &err));
}

static uint8_t letter_at(const struct pack *p, size_t offset)
{
    size_t i = 0;

    while (offset >= p->parts[i].offset + p->parts[i].length) {
        i++;
    }
    return (uint8_t)('a' + i % 26);
}

static void reads_right_from_anywhere(void **state)
{
    static const size_t from[] = {0, 1, 150000, 199999, 200000, 399999, 400000, 130000, 0};
    struct evidence *e = *state;
    struct session_row s;
    struct pack p = {.n = 0};
    struct pack_stream st;
    struct reader *r = NULL;
    struct error err;

    fill(e, &s, &p, PARTS);
    MUST(reader_open(&r, e->db, &err));
    pack_stream_open(&st, &p, r);
    assert_int_equal(st.source.len, (PARTS - 1) * SMALL + LARGE);
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
        uint8_t to[3000];
        ssize_t n = st.source.read(st.source.user, from[i], to, sizeof to, &err);

        assert_true(n > 0);
        for (ssize_t at = 0; at < n; at++) {
            assert_int_equal(to[at], letter_at(&p, from[i] + (size_t)at));
        }
        assert_true(st.window.cap <= 2 * pack_stream_bytes(&p));
    }
    pack_stream_close(&st);
    reader_close(r);
    pack_clear(&p);
    session_row_clear(&s);
}

static void small_segments_go_many_at_once(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    struct pack p = {.n = 0};
    struct pack_stream st;
    struct reader *r = NULL;
    struct error err;
    static uint8_t to[1U << 20];
    size_t offset = 0;
    int reads = 0;

    fill(e, &s, &p, PARTS);
    MUST(reader_open(&r, e->db, &err));
    pack_stream_open(&st, &p, r);
    while (offset < p.len) {
        ssize_t n = st.source.read(st.source.user, offset, to, sizeof to, &err);

        assert_true(n > 0);
        offset += (size_t)n;
        reads++;
    }
    assert_true(p.len / (size_t)reads > TOO_FEW);
    pack_stream_close(&st);
    reader_close(r);
    pack_clear(&p);
    session_row_clear(&s);
}

static void a_segment_that_is_gone_is_told(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    struct pack p = {.n = 0};
    struct pack_stream st;
    struct reader *r = NULL;
    struct error err;
    uint8_t to[16];

    fill(e, &s, &p, 3);
    MUST(pack_add(&p, s.row, 3, SMALL, NULL, &err));
    MUST(reader_open(&r, e->db, &err));
    pack_stream_open(&st, &p, r);
    REFUSES((int)st.source.read(st.source.user, p.len - 1, to, sizeof to, &err), ERR_CORRUPT);
    assert_true(st.source.read(st.source.user, 0, to, sizeof to, &err) > 0);
    MUST(reader_begin(r, &err)); /* nothing was left open */
    reader_end(r);
    pack_stream_close(&st);
    reader_close(r);
    pack_clear(&p);
    session_row_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_right_from_anywhere, evidence_setup,
                                        evidence_teardown),
        cmocka_unit_test_setup_teardown(small_segments_go_many_at_once, evidence_setup,
                                        evidence_teardown),
        cmocka_unit_test_setup_teardown(a_segment_that_is_gone_is_told, evidence_setup,
                                        evidence_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
