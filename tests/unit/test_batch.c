/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into a batch: oldest first, whole sessions in order, nothing twice, nothing altered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "shipper/batch.h"
#include "shipper/state_life.h"
#include "storage/db/store.h"
#include "tests/unit/tempdir.h"

#define SEGMENT 1000 /* bytes */

struct host {
    char db[512], state_path[512];
    struct store *store;
    struct batch_source source;
    struct identity identity;
    int notes;
};

static char dir[256];
static int serial;

static void count_note(void *user, const char *text)
{
    assert_non_null(strstr(text, "not shipped further"));
    ((struct host *)user)->notes++;
}

static void open_host(struct host *h)
{
    struct store_config config = {.path = h->db, .busy_ms = 1000};
    struct key_binding b = {.number = 1};
    struct error err;
    int n = serial++;

    memset(h, 0, sizeof *h);
    (void)snprintf(h->db, sizeof h->db, "%s/%d.db", dir, n);
    (void)snprintf(h->state_path, sizeof h->state_path, "%s/%d.ship", dir, n);
    assert_int_equal(store_open(&h->store, &config, &err), 0);
    assert_int_equal(reader_open(&h->source.evidence, h->db, &err), 0);
    assert_int_equal(state_open(&h->source.state, h->state_path, &err), 0);
    assert_int_equal(json_open(&h->source.json, &err), 0);
    assert_int_equal(key_generate(&h->identity.key, &b, &err), 0);
    (void)snprintf(h->identity.host, sizeof h->identity.host, "host");
    assert_int_equal(state_begin_epoch(h->source.state, "host", h->identity.epoch, &err), 0);
    h->source.identity = &h->identity;
    h->source.horizon = INT64_MAX;
    h->source.pack_bytes = 10 * SEGMENT;
    h->source.note = count_note;
    h->source.user = h;
}

static void close_host(struct host *h)
{
    json_close(h->source.json);
    state_close(h->source.state);
    reader_close(h->source.evidence);
    store_close(h->store, false);
    identity_clear(&h->identity);
}

static int64_t add_session(struct host *h, uint8_t id)
{
    static char empty[] = "", host[] = "host";
    struct session_row s = {.kind = empty,
                            .host = host,
                            .user = empty,
                            .title = empty,
                            .tty = empty,
                            .command = empty,
                            .exit = empty,
                            .flags = empty,
                            .started_us = 1};
    struct error err;

    memset(s.id, id, sizeof s.id);
    /* Its recorder and writer live: this process. */
    clock_boot_id(s.writer_boot);
    clock_boot_id(s.recorder_boot);
    s.writer_pid = s.recorder_pid = getpid();
    s.writer_start = s.recorder_start = (int64_t)clock_process_start(getpid());
    assert_int_equal(store_begin(h->store, &err), 0);
    assert_int_equal(store_session_insert(h->store, &s, &err), 0);
    assert_int_equal(store_commit(h->store, &err), 0);
    return s.row;
}

/* Segment ${number} of ${row}, with bytes of its own; ${lie}: its hash is not that of its bytes. */
static void add_segment(struct host *h, int64_t row, int64_t number, bool lie)
{
    static uint8_t bytes[SEGMENT];
    struct store_segment g = {
        .session_row = row, .number = number, .sealed_us = 1, .bytes = bytes, .len = sizeof bytes};
    struct error err;

    memset(bytes, (int)(row * 16 + number), sizeof bytes);
    chain_sha256(bytes, sizeof bytes, g.sha256);
    g.sha256[0] ^= lie;
    assert_int_equal(store_begin(h->store, &err), 0);
    assert_int_equal(store_segment_insert(h->store, &g, &err), 0);
    assert_int_equal(store_commit(h->store, &err), 0);
}

/* Freezes one batch, and reads its manifest back. */
static int freeze(struct host *h, struct manifest *ret, int64_t after, int64_t *ret_id)
{
    struct state_batch b;
    struct error err;
    struct buf pack, again;
    int rc;

    buf_init(&pack, 1U << 20);
    buf_init(&again, 1U << 20);
    rc = batch_freeze(&h->source, INT64_C(1700000000000000), &pack, &err);
    assert_int_not_equal(rc, -1);
    if (rc == 1) {
        assert_int_equal(state_unfinished(h->source.state, after, &b, &err), 1);
        assert_int_equal(manifest_read(h->source.json, buf_data(&b.line), b.line.len, ret, &err),
                         0);
        assert_int_equal(
            manifest_signed(buf_data(&b.line), b.line.len, key_public(h->identity.key)), 1);
        /* After a kill the pack is built again from the evidence. */
        assert_int_equal(batch_pack(&h->source, &b, &again, &err), 0);
        assert_int_equal(again.len, pack.len);
        assert_memory_equal(buf_data(&again), buf_data(&pack), pack.len);
        *ret_id = b.id;
        state_batch_clear(&b);
    }
    buf_clear(&again);
    buf_clear(&pack);
    return rc;
}

static void test_batches_are_full_and_follow_each_other(void **state)
{
    struct manifest m[3];
    struct host h;
    int64_t id = 0, row;

    (void)state;
    open_host(&h);
    row = add_session(&h, 1);
    for (int64_t n = 0; n < 25; n++) {
        add_segment(&h, row, n, false);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(freeze(&h, &m[i], id, &id), 1);
        assert_int_equal(m[i].seq, i + 1);
        assert_int_equal(m[i].n_segments, i < 2 ? 10 : 5);
        assert_int_equal(m[i].segments[0].number, i * 10);
        assert_int_equal(m[i].segments[0].previous_seq, i);
        assert_int_equal(m[i].segments[1].previous_seq, i + 1);
        assert_int_equal(m[i].n_open, 1);
        assert_int_equal(m[i].open[0].next, i < 2 ? (i + 1) * 10 : 25);
        if (i > 0) {
            assert_memory_equal(m[i].previous_head, m[i - 1].head, CHAIN_HASH);
        }
    }
    assert_int_equal(freeze(&h, NULL, id, &id), 0);
    for (int i = 0; i < 3; i++) {
        manifest_clear(&m[i]);
    }
    close_host(&h);
}

static void test_a_segment_larger_than_a_pack_goes_alone(void **state)
{
    struct manifest m;
    struct host h;
    int64_t id = 0, row;

    (void)state;
    open_host(&h);
    h.source.pack_bytes = SEGMENT / 2;
    row = add_session(&h, 1);
    add_segment(&h, row, 0, false);
    add_segment(&h, row, 1, false);
    assert_int_equal(freeze(&h, &m, id, &id), 1);
    assert_int_equal(m.n_segments, 1);
    manifest_clear(&m);
    close_host(&h);
}

static void test_an_altered_segment_holds_its_session_alone(void **state)
{
    struct manifest m;
    struct host h;
    int64_t id = 0, bad, good;

    (void)state;
    open_host(&h);
    bad = add_session(&h, 1);
    good = add_session(&h, 2);
    add_segment(&h, bad, 0, false);
    add_segment(&h, bad, 1, true);
    add_segment(&h, bad, 2, false);
    add_segment(&h, good, 0, false);
    assert_int_equal(freeze(&h, &m, id, &id), 1);
    assert_int_equal(h.notes, 1);
    assert_int_equal(m.n_segments, 2);
    assert_int_equal(m.segments[0].session[0], 1);
    assert_int_equal(m.segments[1].session[0], 2);
    assert_int_equal(m.segments[1].offset, SEGMENT);
    manifest_clear(&m);
    close_host(&h);
}

static void test_nothing_above_the_horizon(void **state)
{
    struct manifest m;
    struct error err;
    struct host h;
    int64_t id = 0, row;

    (void)state;
    open_host(&h);
    row = add_session(&h, 1);
    add_segment(&h, row, 0, false);
    assert_int_equal(store_horizon(h.store, &h.source.horizon, &err), 0);
    add_segment(&h, row, 1, false);
    assert_int_equal(freeze(&h, &m, id, &id), 1);
    assert_int_equal(m.n_segments, 1);
    assert_int_equal(m.open[0].next, 1); /* nor is more promised */
    manifest_clear(&m);
    assert_int_equal(freeze(&h, &m, id, &id), 0);
    close_host(&h);
}

static void test_heartbeat_has_no_pack(void **state)
{
    struct state_batch b;
    struct manifest m;
    struct error err;
    struct host h;

    (void)state;
    open_host(&h);
    (void)add_session(&h, 1);
    assert_int_equal(batch_heartbeat(&h.source, INT64_C(1700000000000000), &err), 0);
    assert_int_equal(state_unfinished(h.source.state, 0, &b, &err), 1);
    assert_int_equal(manifest_read(h.source.json, buf_data(&b.line), b.line.len, &m, &err), 0);
    assert_string_equal(m.kind, "heartbeat");
    assert_int_equal(m.pack_size, 0);
    assert_int_equal(m.n_open, 1);
    state_batch_clear(&b);
    manifest_clear(&m);
    close_host(&h);
}

/* The newest frozen manifest. */
static void newest(struct host *h, struct manifest *ret, struct state_batch *ret_batch)
{
    struct state_identity at;
    struct error err;

    assert_int_equal(state_identity(h->source.state, &at, &err), 0);
    assert_int_equal(state_batch_get(h->source.state, at.epoch, at.seq, ret_batch, &err), 1);
    if (manifest_read(h->source.json, buf_data(&ret_batch->line), ret_batch->line.len, ret, &err) !=
        0) {
        fail_msg("%s", err.text);
    }
}

static void test_a_boot_is_told_once_and_never_first(void **state)
{
    const int64_t now = INT64_C(1700000000000000);
    struct state_batch b;
    struct manifest m;
    struct error err;
    struct host h;

    (void)state;
    open_host(&h);
    assert_int_equal(batch_boot(&h.source, now, &err), 0);
    assert_int_equal(batch_heartbeat(&h.source, now, &err), 0);
    assert_int_equal(batch_boot(&h.source, now, &err), 0);
    assert_int_equal(
        state_fact_set(h.source.state, "boot_id", "00112233445566778899aabbccddeeff", now, &err),
        0);
    assert_int_equal(batch_boot(&h.source, now, &err), 1);
    assert_int_equal(batch_boot(&h.source, now, &err), 0);
    newest(&h, &m, &b);
    assert_string_equal(m.kind, "boot");
    assert_int_equal(m.seq, 2);
    assert_string_equal(m.previous_boot_id, "00112233445566778899aabbccddeeff");
    assert_true(m.began_us > 0);
    state_batch_clear(&b);
    manifest_clear(&m);
    assert_int_equal(batch_stop(&h.source, now, &err), 0);
    newest(&h, &m, &b);
    assert_string_equal(m.kind, "stop");
    state_batch_clear(&b);
    manifest_clear(&m);
    close_host(&h);
}

static void expect_stored(struct host *h, uint8_t id, int64_t expected)
{
    uint8_t session[CHAIN_ID];
    struct error err;
    int64_t n = -1;

    memset(session, id, sizeof session);
    assert_int_equal(state_stored(h->source.state, session, &n, &err), 0);
    assert_int_equal(n, expected);
}

/* Three batches of a session; the second is withheld, and its segments come again. */
static void test_withheld_segments_come_again(void **state)
{
    const int64_t now = INT64_C(1700000000000000);
    uint8_t composition[CHAIN_HASH], both[2 * CHAIN_HASH], head[CHAIN_HASH];
    struct manifest m[3], w, again;
    struct state_batch b;
    struct error err;
    struct host h;
    int64_t id = 0, ids[3], row;

    (void)state;
    open_host(&h);
    row = add_session(&h, 1);
    for (int64_t n = 0; n < 25; n++) {
        add_segment(&h, row, n, false);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(freeze(&h, &m[i], id, &id), 1);
        ids[i] = id;
    }
    assert_int_equal(state_done(h.source.state, ids[0], &err), 0);
    assert_int_equal(state_done(h.source.state, ids[2], &err), 0);
    expect_stored(&h, 1, 10);

    assert_int_equal(state_batch_find(h.source.state, "2", &b, &err), 1);
    assert_int_equal(batch_withhold(&h.source, &b, "", now, &err), -1);
    assert_int_equal(batch_withhold(&h.source, &b, "a\nb", now, &err), -1);
    assert_int_equal(batch_withhold(&h.source, &b, "it is poison", now, &err), 0);
    assert_int_equal(batch_withhold(&h.source, &b, "it is poison", now, &err), -1);
    state_batch_clear(&b);
    assert_int_equal(state_batch_find(h.source.state, "1", &b, &err), 1);
    assert_int_equal(batch_withhold(&h.source, &b, "it is stored", now, &err), -1);
    state_batch_clear(&b);

    newest(&h, &w, &b);
    assert_string_equal(w.kind, "withheld");
    assert_int_equal(w.seq, 4);
    assert_int_equal(w.withheld.seq, 2);
    assert_int_equal(w.withheld.n_segments, 10);
    assert_int_equal(w.withheld.segments[0].number, 10);
    /* The chain goes on over it. */
    assert_int_equal(manifest_composition(&m[1], composition, &err), 0);
    assert_memory_equal(composition, w.withheld.composition, CHAIN_HASH);
    memcpy(both, m[0].head, CHAIN_HASH);
    memcpy(both + CHAIN_HASH, composition, CHAIN_HASH);
    chain_sha256(both, sizeof both, head);
    assert_memory_equal(head, w.withheld.head, CHAIN_HASH);
    assert_memory_equal(head, m[2].previous_head, CHAIN_HASH);
    state_batch_clear(&b);

    /* What is not stored is not told as stored, and goes out with what is new. */
    expect_stored(&h, 1, 10);
    add_segment(&h, row, 25, false);
    h.source.pack_bytes = 20 * SEGMENT;
    assert_int_equal(freeze(&h, &again, ids[2] + 1, &id), 1);
    assert_int_equal(again.seq, 5);
    assert_int_equal(again.n_segments, 11);
    assert_int_equal(again.segments[0].number, 10);
    assert_int_equal(again.segments[0].previous_seq, 1);
    assert_int_equal(again.segments[1].previous_seq, 5);
    assert_int_equal(again.segments[10].number, 25);
    assert_int_equal(again.segments[10].previous_seq, 3);
    assert_int_equal(again.open[0].next, 26);
    expect_stored(&h, 1, 10);
    assert_int_equal(state_done(h.source.state, id, &err), 0);
    expect_stored(&h, 1, 26);
    manifest_clear(&again);
    manifest_clear(&w);
    for (int i = 0; i < 3; i++) {
        manifest_clear(&m[i]);
    }
    close_host(&h);
}

static int setup(void **state)
{
    (void)state;
    return tempdir_make(dir, sizeof dir);
}

static int drop(void **state)
{
    (void)state;
    return tempdir_drop(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_are_full_and_follow_each_other),
        cmocka_unit_test(test_a_segment_larger_than_a_pack_goes_alone),
        cmocka_unit_test(test_an_altered_segment_holds_its_session_alone),
        cmocka_unit_test(test_nothing_above_the_horizon),
        cmocka_unit_test(test_heartbeat_has_no_pack),
        cmocka_unit_test(test_a_boot_is_told_once_and_never_first),
        cmocka_unit_test(test_withheld_segments_come_again),
    };

    return cmocka_run_group_tests(tests, setup, drop);
}
