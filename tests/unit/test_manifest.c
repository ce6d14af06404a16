/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest says again what was written, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/io.h"
#include "shipper/manifest.h"

static struct json *json;
static struct key *key;

static int setup(void **state)
{
    struct key_binding b = {.number = 1};
    struct error err;

    (void)state;
    memset(b.epoch, 0x11, sizeof b.epoch);
    return json_open(&json, &err) != 0 || key_generate(&key, &b, &err) != 0;
}

static int teardown(void **state)
{
    (void)state;
    json_close(json);
    key_free(key);
    return 0;
}

static void fill(struct manifest *m)
{
    struct error err;

    memset(m, 0, sizeof *m);
    (void)snprintf(m->kind, sizeof m->kind, "batch");
    (void)snprintf(m->host, sizeof m->host, "AROAEXAMPLE:i-0abc");
    (void)snprintf(m->host_id, sizeof m->host_id, "i-0abc");
    memset(m->epoch, 0x11, sizeof m->epoch);
    m->seq = 42;
    m->created_us = INT64_C(1795326031000000); /* 2026-11-22T05:40:31Z */
    m->key_number = 1;
    memcpy(m->public_key, key_public(key), KEY_PUBLIC);
    (void)snprintf(m->boot_id, sizeof m->boot_id, "0123456789abcdef0123456789abcdef");
    manifest_genesis(m->host, m->epoch, m->previous_head);
    memset(m->pack_sha256, 0xab, sizeof m->pack_sha256);
    m->pack_size = 300;
    m->n_segments = 2;
    m->segments = calloc(2, sizeof *m->segments);
    assert_non_null(m->segments);
    for (int i = 0; i < 2; i++) {
        struct manifest_segment *s = &m->segments[i];

        memset(s->session, 0x22, sizeof s->session);
        memset(s->epoch, 0x11, sizeof s->epoch);
        memset(s->sha256, 0x33 + i, sizeof s->sha256);
        memset(s->head, 0x44 + i, sizeof s->head);
        s->number = i;
        s->offset = i * 100;
        s->length = 100 + i * 100;
        s->final = i == 1;
        (void)snprintf(s->codec, sizeof s->codec, "gzip");
        s->previous_seq = i == 0 ? 0 : 42;
        memset(s->previous_epoch, 0x11, sizeof s->previous_epoch);
    }
    m->n_open = 1;
    m->open = calloc(1, sizeof *m->open);
    assert_non_null(m->open);
    m->open[0].next = 5;
    assert_int_equal(manifest_head(m, m->head, &err), 0);
}

static void session_line(struct buf *out)
{
    static char user[] = "o'\"neil\n", title[] = "t\xff", command[] = "[\"sh\", \"-c\", \"x\"]";
    static char text[] = "x";
    struct session_row s = {.kind = text,
                            .host = text,
                            .user = user,
                            .title = title,
                            .tty = text,
                            .command = command,
                            .exit = text,
                            .flags = text,
                            .started_us = 7};
    struct error err;

    memset(s.id, 0x22, sizeof s.id);
    assert_int_equal(manifest_session_put(out, json, &s, &err), 0);
}

static void build(struct buf *line, struct manifest *m)
{
    struct error err;
    struct buf sessions;

    buf_init(&sessions, 65536);
    fill(m);
    session_line(&sessions);
    m->n_sessions = 1;
    assert_int_equal(manifest_write(line, m, &sessions, key, &err), 0);
    buf_clear(&sessions);
}

static void test_reads_back_what_was_written(void **state)
{
    struct manifest m, r;
    struct error err;
    struct buf line;

    (void)state;
    buf_init(&line, 1U << 20);
    build(&line, &m);
    assert_null(memchr(buf_data(&line), '\n', line.len - 1));
    assert_int_equal(manifest_read(json, buf_data(&line), line.len, &r, &err), 0);
    assert_string_equal(r.kind, "batch");
    assert_string_equal(r.host, m.host);
    assert_int_equal(r.seq, 42);
    assert_int_equal(r.created_us, m.created_us);
    assert_memory_equal(r.head, m.head, sizeof m.head);
    assert_memory_equal(r.pack_sha256, m.pack_sha256, sizeof m.pack_sha256);
    assert_int_equal(r.n_segments, 2);
    assert_memory_equal(r.segments[1].sha256, m.segments[1].sha256, CHAIN_HASH);
    assert_true(r.segments[1].final && !r.segments[0].final);
    assert_int_equal(r.segments[0].previous_seq, 0);
    assert_int_equal(r.segments[1].previous_seq, 42);
    assert_int_equal(r.n_sessions, 1);
    assert_string_equal(r.sessions[0].user, "o'\"neil\n");
    assert_string_equal(r.sessions[0].title, "t\xef\xbf\xbd");
    assert_int_equal(r.n_open, 1);
    assert_int_equal(r.open[0].next, 5);
    assert_int_equal(manifest_signed(buf_data(&line), line.len, key_public(key)), 1);
    manifest_clear(&r);
    manifest_clear(&m);
    buf_clear(&line);
}

/* One of the kinds without segments. */
static void build_kind(struct buf *line, struct manifest *m, const char *kind)
{
    struct error err;
    struct buf none;

    buf_init(&none, 16);
    fill(m);
    m->withheld.segments = m->segments; /* cleared with it */
    m->withheld.n_segments = strcmp(kind, "withheld") == 0 ? 2 : 0;
    m->segments = NULL;
    m->n_segments = 0;
    m->pack_size = 0;
    chain_sha256("", 0, m->pack_sha256);
    (void)snprintf(m->kind, sizeof m->kind, "%s", kind);
    m->heartbeat_h = 6;
    m->skew_known = true;
    m->skew_us = -1500000;
    if (strcmp(kind, "boot") == 0) {
        (void)snprintf(m->previous_boot_id, sizeof m->previous_boot_id,
                       "fedcba9876543210fedcba9876543210");
        m->began_us = 77;
    }
    if (strcmp(kind, "withheld") == 0) {
        m->withheld.seq = 41;
        memset(m->withheld.sha256, 0x51, CHAIN_HASH);
        memset(m->withheld.composition, 0x52, CHAIN_HASH);
        memset(m->withheld.head, 0x53, CHAIN_HASH);
        (void)snprintf(m->withheld.reason, sizeof m->withheld.reason, "block \"9\" is gone");
    }
    assert_int_equal(manifest_head(m, m->head, &err), 0);
    assert_int_equal(manifest_write(line, m, &none, key, &err), 0);
}

static void test_kinds_without_segments(void **state)
{
    static const char *const kinds[] = {"heartbeat", "boot", "stop", "withheld"};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint8_t head[CHAIN_HASH];
        struct manifest m, r;
        struct error err;
        struct buf line;

        buf_init(&line, 1U << 20);
        build_kind(&line, &m, kinds[i]);
        if (manifest_read(json, buf_data(&line), line.len, &r, &err) != 0) {
            fail_msg("%s: %s", kinds[i], err.text);
        }
        assert_string_equal(r.kind, kinds[i]);
        assert_int_equal(r.heartbeat_h, 6);
        assert_true(r.skew_known && r.skew_us == -1500000);
        assert_string_equal(r.previous_boot_id, m.previous_boot_id);
        assert_int_equal(r.began_us, m.began_us);
        assert_int_equal(r.withheld.seq, m.withheld.seq);
        assert_string_equal(r.withheld.reason, m.withheld.reason);
        assert_int_equal(r.withheld.n_segments, m.withheld.n_segments);
        if (r.withheld.seq > 0) {
            assert_memory_equal(r.withheld.sha256, m.withheld.sha256, CHAIN_HASH);
            assert_memory_equal(r.withheld.composition, m.withheld.composition, CHAIN_HASH);
            assert_memory_equal(r.withheld.head, m.withheld.head, CHAIN_HASH);
            assert_int_equal(r.withheld.segments[1].number, 1);
            assert_memory_equal(r.withheld.segments[1].sha256, m.withheld.segments[1].sha256,
                                CHAIN_HASH);
        }
        assert_int_equal(manifest_head(&r, head, &err), 0);
        assert_memory_equal(head, r.head, CHAIN_HASH);
        manifest_clear(&r);
        manifest_clear(&m);
        buf_clear(&line);
    }
}

static void test_names(void **state)
{
    char name[MANIFEST_OBJECT_NAME];
    struct manifest m;

    (void)state;
    fill(&m);
    manifest_pack_name(&m, name);
    assert_string_equal(name,
                        "packs/dt=2026-11-22/host=AROAEXAMPLE:i-0abc/"
                        "000000000042-20261122T054031Z-abababababababababababababababababababa"
                        "babababababababababababab.cast.gz");
    manifest_name(&m, name);
    assert_non_null(strstr(name, "batches/dt=2026-11-22/host=AROAEXAMPLE:i-0abc/000000000042-"));
    assert_string_equal(name + strlen(name) - 5, ".json");
    manifest_clear(&m);
}

/* The bytes that are hashed stand in docs/FORMAT.md; this is sha256sum's word for them. */
static void test_genesis_is_as_documented(void **state)
{
    uint8_t epoch[CHAIN_ID], head[CHAIN_HASH];
    char hex[2 * CHAIN_HASH + 1];

    (void)state;
    memset(epoch, 0x11, sizeof epoch);
    manifest_genesis("h", epoch, head);
    assert_string_equal(io_hex(head, sizeof head, hex),
                        "0477422cd58abc2373f7622f9ee8794cf9aa52ddf514c9da23dbffac9a50b45f");
}

static void test_head_depends_on_every_part(void **state)
{
    uint8_t before[CHAIN_HASH], after[CHAIN_HASH];
    struct manifest m;
    struct error err;

    (void)state;
    fill(&m);
    memcpy(before, m.head, sizeof before);
#define CHANGED(what)                                                                              \
    do {                                                                                           \
        what ^= 1;                                                                                 \
        assert_int_equal(manifest_head(&m, after, &err), 0);                                       \
        assert_memory_not_equal(before, after, sizeof before);                                     \
        what ^= 1;                                                                                 \
    } while (0)
    CHANGED(m.seq);
    CHANGED(m.created_us);
    CHANGED(m.epoch[0]);
    CHANGED(m.host[0]);
    CHANGED(m.kind[0]);
    CHANGED(m.previous_head[31]);
    CHANGED(m.pack_sha256[0]);
    CHANGED(m.pack_size);
    CHANGED(m.segments[0].session[0]);
    CHANGED(m.segments[0].epoch[0]);
    CHANGED(m.segments[0].number);
    CHANGED(m.segments[0].offset);
    CHANGED(m.segments[0].length);
    CHANGED(m.segments[0].sha256[0]);
    CHANGED(m.segments[0].head[0]);
    m.segments[0].final = true;
    assert_int_equal(manifest_head(&m, after, &err), 0);
    assert_memory_not_equal(before, after, sizeof before);
    manifest_clear(&m);
}

static void test_any_changed_byte_breaks_it(void **state)
{
    struct manifest m;
    struct buf line;

    (void)state;
    buf_init(&line, 1U << 20);
    build(&line, &m);
    for (size_t i = 0; i < line.len; i++) {
        buf_data(&line)[i] ^= 1;
        assert_int_not_equal(manifest_signed(buf_data(&line), line.len, key_public(key)), 1);
        buf_data(&line)[i] ^= 1;
    }
    manifest_clear(&m);
    buf_clear(&line);
}

/* Replaces ${from} by ${to} (once) and reads: the signature is not looked at here. */
static int read_changed(const struct buf *line, const char *from, const char *to)
{
    const uint8_t *at = memmem(buf_data(line), line->len, from, strlen(from));
    struct manifest r;
    struct error err;
    struct buf b;
    int rc;

    assert_non_null(at);
    buf_init(&b, 1U << 20);
    assert_int_equal(buf_append(&b, buf_data(line), (size_t)(at - buf_data(line)), &err), 0);
    assert_int_equal(buf_puts(&b, to, &err), 0);
    at += strlen(from);
    assert_int_equal(buf_append(&b, at, line->len - (size_t)(at - buf_data(line)), &err), 0);
    err_clear(&err);
    rc = manifest_read(json, buf_data(&b), b.len, &r, &err);
    assert_true(rc == 0 || err.text[0] != '\0');
    manifest_clear(&r);
    buf_clear(&b);
    return rc;
}

static void test_refuses_kinds_that_are_not_strict(void **state)
{
    static const struct {
        const char *kind, *from, *to;
    } changes[] = {
        {"boot", "\"boot\":{", "\"boots\":{"},
        {"boot", "\"began_us\":77", "\"began_us\":-1"},
        {"boot", "fedcba98", "fedcba9"},
        {"withheld", "\"withheld\":{", "\"withhold\":{"},
        {"withheld", "\"withheld\":{\"seq\":41", "\"withheld\":{\"seq\":42"},
        {"withheld", "\"composition\"", "\"comp\""},
        {"withheld", "\"reason\":\"", "\"reasons\":\""},
        {"withheld", "\"segments\":[{", "\"segments\":[7,{"},
        {"heartbeat", "\"heartbeat_h\":6", "\"heartbeat_h\":-6"},
        {"heartbeat", "\"skew_us\":-1500000", "\"skew_us\":\"1\""},
        {"stop", "\"kind\":\"stop\"", "\"kind\":\"withheld\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct manifest m;
        struct buf line;

        buf_init(&line, 1U << 20);
        build_kind(&line, &m, changes[i].kind);
        assert_int_equal(read_changed(&line, changes[i].from, changes[i].from), 0);
        if (read_changed(&line, changes[i].from, changes[i].to) == 0) {
            fail_msg("taken: %s", changes[i].to);
        }
        manifest_clear(&m);
        buf_clear(&line);
    }
}

/* As versions before these members wrote it. */
static void test_older_manifests_stay_readable(void **state)
{
    struct manifest m, r;
    struct error err;
    struct buf line;
    uint8_t *at;

    (void)state;
    buf_init(&line, 1U << 20);
    build(&line, &m);
    at = memmem(buf_data(&line), line.len, ",\"heartbeat_h\":0,\"skew_us\":null", 31);
    assert_non_null(at);
    memmove(at, at + 31, line.len - (size_t)(at + 31 - buf_data(&line)));
    line.len -= 31;
    assert_int_equal(manifest_read(json, buf_data(&line), line.len, &r, &err), 0);
    assert_int_equal(r.heartbeat_h, 0);
    assert_false(r.skew_known);
    manifest_clear(&r);
    manifest_clear(&m);
    buf_clear(&line);
}

static void test_refuses_what_is_not_strict(void **state)
{
    static const char *const changes[][2] = {
        {"\"version\":1", "\"version\":2"},
        {"\"manifest\"", "\"key\""},
        {"\"seq\":42", "\"seq\":0"},
        {"\"seq\":42", "\"seq\":\"42\""},
        {"\"seq\":42", "\"seq\":4.5"},
        {"\"seq\":42", "\"seq\":1000000000000"},
        {"\"host\":\"AROAEXAMPLE:i-0abc\"", "\"host\":\"../x\""},
        {"\"host\":\"AROAEXAMPLE:i-0abc\"", "\"host\":\"\""},
        {"\"epoch\":\"1111", "\"epoch\":\"111"},
        {"\"previous_head\"", "\"previous\""},
        {"\"final\":true", "\"final\":\"true\""},
        {"\"length\":100", "\"length\":-100"},
        {"\"offset\":0", "\"offset\":-1"},
        {"\"sha256\":\"3333", "\"sha256\":\"3g33"},
        {"\"counts\":{\"segments\":2", "\"counts\":{\"segments\":1"},
        {"\"size\":300", "\"size\":0"},
        {"packs/dt=2026-11-22", "packs/dt=2026-11-23"},
        {"\"segments\":[", "\"segments\":[7,"},
        {"\"created_us\":1795326031000000", "\"created_us\":99999999999999999"},
        {"{\"ttytrail\"", "\"ttytrail\""},
    };
    struct manifest m;
    struct buf line;

    (void)state;
    buf_init(&line, 1U << 20);
    build(&line, &m);
    assert_int_equal(read_changed(&line, "\"seq\":42", "\"seq\":42"), 0);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (read_changed(&line, changes[i][0], changes[i][1]) == 0) {
            fail_msg("taken: %s", changes[i][1]);
        }
    }
    manifest_clear(&m);
    buf_clear(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_back_what_was_written),
        cmocka_unit_test(test_kinds_without_segments),
        cmocka_unit_test(test_refuses_kinds_that_are_not_strict),
        cmocka_unit_test(test_older_manifests_stay_readable),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_genesis_is_as_documented),
        cmocka_unit_test(test_head_depends_on_every_part),
        cmocka_unit_test(test_any_changed_byte_breaks_it),
        cmocka_unit_test(test_refuses_what_is_not_strict),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
