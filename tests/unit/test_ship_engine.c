/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that ships, against a depot that answers what the test says, when it says so. */
#include "tests/unit/evidence.h"

#include <poll.h>

#include "shipper/ship_engine.h"

#define MANY 40

/* What becomes of a name: 'r' once RETRY, 'e' once EXISTS, 'd' always DENIED, 'u' always USAGE, 't'
 * always CORRUPT. */
struct rule {
    const char *match;
    char what;
    int times;
};

struct pending {
    char name[512];
    depot_done_fn *done;
    void *user;
    struct depot_answer answer;
};

struct scripted {
    struct depot head;
    struct rule rules[4];
    struct pending wait[64];
    unsigned n_wait, most, hold; /* hold: so many wait before any is answered */
    char stored[256][512];
    unsigned n_stored, puts, without_pack;
    bool bad_bytes;
    int64_t skew_us, seen_skew_us;
};

static struct depot_answer judge(struct scripted *s, const char *name)
{
    struct depot_answer a = {.rc = 0, .result = DEPOT_PUT_CONFIRMED};

    for (size_t i = 0; i < 4 && s->rules[i].match != NULL; i++) {
        struct rule *r = &s->rules[i];

        if (strstr(name, r->match) == NULL || r->times == 0) {
            continue;
        }
        r->times -= r->times > 0;
        if (r->what == 'e') {
            a.result = DEPOT_PUT_EXISTS;
            return a;
        }
        a.rc = err_set(&a.err,
                       r->what == 'r'   ? ERR_RETRY
                       : r->what == 'd' ? ERR_DENIED
                       : r->what == 't' ? ERR_CORRUPT
                                        : ERR_USAGE,
                       "answer %c", r->what);
        return a;
    }
    return a;
}

static int scripted_start(struct depot *d, const struct depot_put *put, depot_done_fn *done,
                          void *user, struct error *err)
{
    struct scripted *s = (struct scripted *)d;
    struct pending *p = &s->wait[s->n_wait++];
    uint8_t sha[32];
    struct buf all;

    assert_true(s->n_wait <= 64);
    s->most = s->n_wait > s->most ? s->n_wait : s->most;
    s->puts++;
    (void)snprintf(p->name, sizeof p->name, "%s", put->name);
    p->done = done;
    p->user = user;
    buf_init(&all, 1U << 20);
    if (put->stream == NULL) {
        assert_int_equal(buf_append(&all, put->bytes, put->len, err), 0);
    } else {
        while (all.len < put->stream->len) {
            uint8_t piece[7];
            ssize_t n = put->stream->read(put->stream->user, all.len, piece, sizeof piece, err);

            if (n <= 0) {
                buf_clear(&all);
                s->n_wait--;
                return -1;
            }
            assert_int_equal(buf_append(&all, piece, (size_t)n, err), 0);
        }
    }
    chain_sha256(buf_data(&all), all.len, sha);
    s->bad_bytes |= memcmp(sha, put->sha256, sizeof sha) != 0;
    buf_clear(&all);
    p->answer = judge(s, p->name);
    return 0;
}

static bool is_stored(const struct scripted *s, const char *what)
{
    for (unsigned i = 0; i < s->n_stored; i++) {
        if (strstr(s->stored[i], what) != NULL) {
            return true;
        }
    }
    return false;
}

static void answer_one(struct scripted *s)
{
    struct pending p = s->wait[0];
    char seq[32] = "";

    memmove(s->wait, s->wait + 1, --s->n_wait * sizeof *s->wait);
    if (p.answer.rc == 0 && p.answer.result == DEPOT_PUT_CONFIRMED) {
        const char *slash = strrchr(p.name, '/');

        if (strncmp(p.name, "batches/", 8) == 0) {
            (void)snprintf(seq, sizeof seq, "%.13s", slash);
            s->without_pack += !is_stored(s, seq);
        }
        (void)snprintf(s->stored[s->n_stored++], 512, "%s", p.name);
        assert_true(s->n_stored < 256);
    }
    p.done(p.user, &p.answer);
}

static int scripted_wait(struct depot *d, int fd, int timeout_ms, struct error *err)
{
    struct scripted *s = (struct scripted *)d;
    struct pollfd p = {.fd = fd, .events = POLLIN};

    (void)err;
    if (s->n_wait > 0 && s->n_wait >= s->hold) {
        s->hold = 0; /* so many were seen at once */
        answer_one(s);
        return 0;
    }
    /* What is being hashed comes first. */
    (void)poll(&p, fd < 0 ? 0 : 1, s->hold > 0 ? 60000 : timeout_ms);
    return 0;
}

static void scripted_cancel(struct depot *d)
{
    struct scripted *s = (struct scripted *)d;

    while (s->n_wait > 0) {
        s->wait[0].answer.rc = err_set(&s->wait[0].answer.err, ERR_RETRY, "given up");
        answer_one(s);
    }
}

static int64_t scripted_skew(const struct depot *d)
{
    return ((const struct scripted *)d)->skew_us;
}

static int64_t scripted_seen_skew(const struct depot *d)
{
    return ((const struct scripted *)d)->seen_skew_us;
}

static const struct depot_type scripted_type = {.scheme = "test",
                                                .start = scripted_start,
                                                .wait = scripted_wait,
                                                .cancel = scripted_cancel,
                                                .skew_us = scripted_skew,
                                                .seen_skew_us = scripted_seen_skew};

struct rig {
    struct evidence *e;
    struct scripted depot;
    struct identity identity;
    struct batch_source source;
    struct batch_walk walk;
    struct ship_engine engine;
    char state_path[300];
    int prepared, told, stored, asides, notes, alarms;
};

static int prepare(void *user, struct error *err)
{
    (void)err;
    ((struct rig *)user)->prepared++;
    return 0;
}

static int tell(void *user, const struct state_batch *b, struct error *err)
{
    struct rig *r = user;

    r->told++;
    return state_told(r->source.state, b->id, err);
}

static void stored(void *user, const struct state_batch *b)
{
    (void)b;
    ((struct rig *)user)->stored++;
}

static void aside(void *user, const char *text)
{
    assert_non_null(strstr(text, "ship batch"));
    ((struct rig *)user)->asides++;
}

static void note(void *user, const char *text)
{
    ((struct rig *)user)->notes++;
    ((struct rig *)user)->alarms += strncmp(text, "ALARM", 5) == 0;
}

static void progress(void *user)
{
    (void)user;
}

static void open_engine(struct rig *r)
{
    struct error err;

    memset(&r->engine, 0, sizeof r->engine);
    memset(&r->walk, 0, sizeof r->walk);
    memset(&r->depot, 0, sizeof r->depot);
    r->depot.head.type = &scripted_type;
    r->prepared = r->told = r->stored = r->asides = r->notes = r->alarms = 0;
    MUST(reader_open(&r->source.evidence, r->e->db, &err));
    MUST(state_open(&r->source.state, r->state_path, &err));
    MUST(state_many_open(r->source.state, &err));
    MUST(json_open(&r->source.json, &err));
    r->source.identity = &r->identity;
    r->source.horizon = INT64_MAX;
    r->source.pack_bytes = 6;
    r->source.note = note;
    r->source.user = r;
    r->source.walk = &r->walk;
    r->engine = (struct ship_engine){.db = r->e->db,
                                     .where = "test",
                                     .state = r->source.state,
                                     .store = &r->depot.head,
                                     .source = &r->source,
                                     .in_flight = 8,
                                     .prepare = prepare,
                                     .tell = tell,
                                     .stored = stored,
                                     .aside = aside,
                                     .note = note,
                                     .progress = progress,
                                     .user = r};
}

static void close_engine(struct rig *r)
{
    ship_engine_close(&r->engine);
    batch_walk_clear(&r->walk);
    json_close(r->source.json);
    state_close(r->source.state);
    reader_close(r->source.evidence);
}

static void add_session(struct rig *r, int i)
{
    struct session_row s;
    struct store_segment g;
    struct error err;

    evidence_row(&s, (uint8_t)(i + 1), 7, "t");
    evidence_insert(r->e, &s);
    g = evidence_segment(&s, 0, true);
    MUST(store_begin(r->e->store, &err));
    MUST(store_segment_insert(r->e->store, &g, &err));
    MUST(store_commit(r->e->store, &err));
    session_row_clear(&s);
}

/* ${n} sessions of one segment each, which is a batch. */
static void rig_open(struct rig *r, void **state, int n)
{
    struct key_binding b = {.number = 1};
    struct error err;

    memset(r, 0, sizeof *r);
    r->e = *state;
    (void)snprintf(r->state_path, sizeof r->state_path, "%s/ship.db", r->e->dir);
    MUST(key_generate(&r->identity.key, &b, &err));
    (void)snprintf(r->identity.host, sizeof r->identity.host, "host");
    for (int i = 0; i < n; i++) {
        add_session(r, i);
    }
    open_engine(r);
    MUST(state_begin_epoch(r->source.state, "host", r->identity.epoch, &err));
}

static void rig_close(struct rig *r)
{
    close_engine(r);
    identity_clear(&r->identity);
}

static void many_go_at_once_and_all_arrive(void **state)
{
    struct rig r;
    struct error err;

    rig_open(&r, state, MANY);
    r.depot.hold = 8;
    MUST(ship_engine_run(&r.engine, true, &err));
    assert_int_equal(r.depot.most, 8);
    assert_int_equal(r.depot.n_stored, 2 * MANY);
    assert_int_equal(r.depot.puts, 2 * MANY);
    assert_int_equal(r.depot.without_pack, 0);
    assert_false(r.depot.bad_bytes);
    assert_int_equal(r.stored, MANY);
    assert_int_equal(r.told, MANY);
    assert_int_equal(r.prepared, 1);
    assert_int_equal(r.asides + r.notes, 0);
    close_engine(&r);
    open_engine(&r); /* again: nothing */
    MUST(ship_engine_run(&r.engine, true, &err));
    assert_int_equal(r.depot.puts, 0);
    assert_int_equal(r.prepared, 0);
    rig_close(&r);
}

static void one_that_is_refused_blocks_nothing(void **state)
{
    static const struct {
        char what;
        unsigned more; /* attempts beside the first */
    } cases[] = {{'u', 0}, {'d', 0}, {'t', 2}};
    struct rig r;
    struct error err;

    rig_open(&r, state, 20);
    for (size_t i = 0; i < 3; i++) {
        if (i > 0) {
            open_engine(&r);
        }
        r.depot.rules[0] = (struct rule){"packs/", cases[i].what, -1};
        r.depot.rules[0].match = "/000000000003-";
        if (i == 0) {
            MUST(ship_engine_run(&r.engine, true, &err));
            assert_int_equal(r.depot.n_stored, 2 * 19);
            assert_int_equal(r.asides, 1);
        } else {
            /* Nothing but it is left. */
            assert_int_equal(ship_engine_run(&r.engine, true, &err), -1);
            assert_non_null(strstr(err.text, "ship batch 3: answer"));
            assert_int_equal(r.depot.n_stored, 0);
        }
        assert_int_equal(r.depot.puts, (i == 0 ? 2U * 19 : 0) + 1 + cases[i].more);
        close_engine(&r);
    }
    open_engine(&r); /* whatever it was is over */
    MUST(ship_engine_run(&r.engine, true, &err));
    assert_int_equal(r.depot.n_stored, 2);
    assert_int_equal(r.asides, 0);
    rig_close(&r);
}

static void a_store_that_refuses_everything_is_left_alone(void **state)
{
    struct rig r;
    struct error err;

    rig_open(&r, state, MANY);
    r.depot.rules[0] = (struct rule){"host=", 'd', -1};
    assert_int_equal(ship_engine_run(&r.engine, true, &err), -1);
    assert_int_equal(err.kind, ERR_DENIED);
    assert_true(r.depot.puts <= 8 + SHIP_REFUSED_MAX);
    assert_int_equal(r.depot.n_stored, 0);
    close_engine(&r);
    open_engine(&r);
    MUST(ship_engine_run(&r.engine, true, &err));
    assert_int_equal(r.depot.n_stored, 2 * MANY);
    assert_int_equal(r.alarms, 0);
    rig_close(&r);
}

static void names_that_are_taken(void **state)
{
    struct rig r;
    struct error err;

    rig_open(&r, state, 3);
    r.depot.rules[0] = (struct rule){"packs/", 'e', 1}; /* before our first attempt: alarm */
    r.depot.rules[1] = (struct rule){"batches/", 'r', 1};
    r.depot.rules[2] = (struct rule){"batches/", 'e', 1}; /* our own, its answer lost */
    r.engine.in_flight = 1;
    MUST(ship_engine_run(&r.engine, true, &err));
    assert_int_equal(r.alarms, 1);
    assert_int_equal(r.depot.n_stored, 6);
    assert_true(is_stored(&r.depot, ".cast.gz.r1"));
    assert_true(is_stored(&r.depot, ".json.r1"));
    rig_close(&r);
}

/* Frozen and not sent; then the evidence is not what it was. */
static void evidence_that_changed_after_freezing(void **state)
{
    struct rig r;
    struct error err;
    sqlite3 *db;

    rig_open(&r, state, 3);
    r.depot.rules[0] = (struct rule){"host=", 'd', -1};
    assert_int_equal(ship_engine_run(&r.engine, true, &err), -1);
    close_engine(&r);
    assert_int_equal(sqlite3_open(r.e->db, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE segment SET bytes=x'666f6f626172' WHERE rowid=2", 0, 0, 0),
        SQLITE_OK);
    sqlite3_close(db);
    open_engine(&r);
    MUST(ship_engine_run(&r.engine, true, &err));
    assert_int_equal(r.asides, 1);
    assert_int_equal(r.depot.n_stored, 4);
    assert_false(r.depot.bad_bytes);
    rig_close(&r);
}

/* What is refused for a while is tried again, and the clock's error is told once. */
static void retries_and_a_wrong_clock(void **state)
{
    struct rig r;
    struct error err;

    rig_open(&r, state, 6);
    r.depot.rules[0] = (struct rule){"packs/", 'r', 3};
    r.depot.skew_us = r.depot.seen_skew_us = INT64_C(-3600000000);
    MUST(ship_engine_run(&r.engine, true, &err));
    assert_int_equal(r.depot.n_stored, 12);
    assert_int_equal(r.depot.puts, 15);
    assert_int_equal(r.asides + r.alarms, 0);
    assert_int_equal(r.notes, 1);
    close_engine(&r);
    assert_int_equal(evidence_number(r.state_path, "SELECT value FROM facts WHERE name='skew_us'"),
                     INT64_C(-3600000000));
    /* Put right since: what later manifests say of it is as it was seen last. */
    add_session(&r, 6);
    open_engine(&r);
    r.depot.seen_skew_us = 400000;
    MUST(ship_engine_run(&r.engine, true, &err));
    close_engine(&r);
    assert_int_equal(evidence_number(r.state_path, "SELECT value FROM facts WHERE name='skew_us'"),
                     400000);
    open_engine(&r);
    rig_close(&r);
}

static void limits_are_kept(void **state)
{
    struct ship_limit none = {.per_s = 0}, l = {.per_s = 1000};

    (void)state;
    ship_limit_take(&none, 5, INT64_MAX);
    assert_true(ship_limit_wait_us(&none, 5) == 0);
    assert_true(ship_limit_wait_us(&l, 100) == 0);
    ship_limit_take(&l, 100, 500);
    assert_true(ship_limit_wait_us(&l, 100) == 500000);
    assert_true(ship_limit_wait_us(&l, 500100) == 0);
    ship_limit_take(&l, 400100, 1000); /* on top of what is owed */
    assert_true(ship_limit_wait_us(&l, 500100) == 1000000);
    ship_limit_take(&l, INT64_C(9000000), 1); /* idle time is not saved up */
    assert_true(ship_limit_wait_us(&l, INT64_C(9000000)) == 1000);
    ship_limit_take(&l, INT64_C(9000000), INT64_C(1) << 40); /* no overflow */
    assert_true(ship_limit_wait_us(&l, INT64_C(9000000)) > (INT64_C(1) << 40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_go_at_once_and_all_arrive, evidence_setup,
                                        evidence_teardown),
        cmocka_unit_test_setup_teardown(one_that_is_refused_blocks_nothing, evidence_setup,
                                        evidence_teardown),
        cmocka_unit_test_setup_teardown(a_store_that_refuses_everything_is_left_alone,
                                        evidence_setup, evidence_teardown),
        cmocka_unit_test_setup_teardown(names_that_are_taken, evidence_setup, evidence_teardown),
        cmocka_unit_test_setup_teardown(evidence_that_changed_after_freezing, evidence_setup,
                                        evidence_teardown),
        cmocka_unit_test_setup_teardown(retries_and_a_wrong_clock, evidence_setup,
                                        evidence_teardown),
        cmocka_unit_test(limits_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
