/* SPDX-License-Identifier: Apache-2.0 */
/* When the host is the one it was, and when a new epoch has to begin, and why. */
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
#include "shipper/identity.h"
#include "shipper/keyobject.h"
#include "storage/db/store.h"
#include "tests/unit/tempdir.h"

static char dir[256];
static char db[512], key_path[512], state_path[512];
static int serial, epochs;
static char reason[256];
static const char *instance = "";

static void set_meta(const char *key, const char *value)
{
    const struct store_config config = {.path = db, .busy_ms = 1000};
    struct store *s = NULL;
    struct error err;

    assert_int_equal(store_open(&s, &config, &err), 0);
    assert_int_equal(store_begin(s, &err), 0);
    assert_int_equal(store_meta_set(s, key, value, &err), 0);
    assert_int_equal(store_commit(s, &err), 0);
    store_close(s, false);
}

static int new_epoch(void *user, const char *why, struct error *err)
{
    char hex[40];

    (void)user;
    (void)err;
    (void)snprintf(reason, sizeof reason, "%s", why);
    (void)snprintf(hex, sizeof hex, "%032x", 0xe0 + ++epochs);
    set_meta("epoch", hex);
    set_meta("epoch_why", why);
    return 0;
}

static void fresh_host(void)
{
    int n = serial++;

    (void)snprintf(db, sizeof db, "%s/%d.db", dir, n);
    (void)snprintf(key_path, sizeof key_path, "%s/%d.key", dir, n);
    (void)snprintf(state_path, sizeof state_path, "%s/%d.ship", dir, n);
    set_meta("host", "host-a");
    set_meta("epoch", "000000000000000000000000000000aa");
    set_meta("epoch_why", "new host");
    set_meta("machine_id", "m1");
    reason[0] = '\0';
}

static void settle(const char *machine, const char *host_name, struct identity *ret)
{
    struct identity_config c = {.key_path = key_path,
                                .host_name = host_name,
                                .machine = machine,
                                .instance_or_null = instance,
                                .now_us = 1,
                                .new_epoch = new_epoch};
    struct error err;

    assert_int_equal(reader_open(&c.evidence, db, &err), 0);
    assert_int_equal(state_open(&c.state, state_path, &err), 0);
    assert_int_equal(identity_settle(&c, ret, &err), 0);
    assert_non_null(ret->key);
    assert_memory_equal(key_binding(ret->key)->epoch, ret->epoch, CHAIN_ID);
    state_close(c.state);
    reader_close(c.evidence);
}

/* Settles twice, with ${change} between, and again: the last must be like the one before. */
static void expect(void (*change)(void), const char *machine, const char *host_name,
                   const char *why)
{
    struct identity a, b, c;

    fresh_host();
    settle("m1", "", &a);
    assert_string_equal(reason, "");
    if (change != NULL) {
        change();
    }
    settle(machine, host_name, &b);
    assert_string_equal(reason, why);
    assert_int_equal(memcmp(key_public(a.key), key_public(b.key), KEY_PUBLIC) != 0, *why != '\0');
    reason[0] = '\0';
    settle(machine, host_name, &c);
    assert_string_equal(reason, "");
    assert_memory_equal(key_public(b.key), key_public(c.key), KEY_PUBLIC);
    identity_clear(&a);
    identity_clear(&b);
    identity_clear(&c);
}

static void lose_state(void)
{
    assert_int_equal(unlink(state_path), 0);
}

static void lose_key(void)
{
    assert_int_equal(unlink(key_path), 0);
}

static void test_same_host_goes_on(void **state)
{
    (void)state;
    expect(NULL, "m1", "", "");
    expect(NULL, "", "", "");
}

static void test_misfits_begin_an_epoch(void **state)
{
    (void)state;
    expect(lose_state, "m1", "", "ship.db was lost");
    expect(lose_key, "m1", "", "the host's key was lost");
    expect(NULL, "m2", "", "another machine: the disk was cloned or moved");
    expect(NULL, "m1", "other", "the host's name in paths changed");
}

enum { AFTER_SHIP_DB, AFTER_ALL }; /* where a rotation is killed */

static void rotate(struct identity *i, int steps)
{
    struct identity_config c = {.key_path = key_path, .machine = "m1", .now_us = 2};
    char next[600];
    struct error err;

    (void)snprintf(next, sizeof next, "%s.next", key_path);
    assert_int_equal(state_open(&c.state, state_path, &err), 0);
    if (identity_rotate(&c, i, &err) != 0) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(access(next, F_OK), -1);
    if (steps == AFTER_SHIP_DB) {
        assert_int_equal(rename(key_path, next), 0);
    }
    state_close(c.state);
}

static void test_a_key_is_rotated(void **state)
{
    struct identity a, b;

    (void)state;
    fresh_host();
    settle("m1", "", &a);
    rotate(&a, AFTER_ALL);
    assert_int_equal(key_binding(a.key)->number, 2);
    settle("m1", "", &b);
    assert_string_equal(reason, "");
    assert_memory_equal(key_public(a.key), key_public(b.key), KEY_PUBLIC);
    identity_clear(&a);
    identity_clear(&b);
}

static void test_a_killed_rotation_is_finished_or_forgotten(void **state)
{
    struct identity a, b;
    struct key_binding next = {.number = 2, .created_us = 1, .machine = "m1"};
    struct key *k = NULL;
    struct error err;
    char path[600];

    (void)state;
    /* The file was written, ship.db does not know it. */
    fresh_host();
    settle("m1", "", &a);
    memcpy(next.epoch, a.epoch, sizeof next.epoch);
    (void)snprintf(path, sizeof path, "%s.next", key_path);
    assert_int_equal(key_generate(&k, &next, &err), 0);
    assert_int_equal(key_save(k, path, &err), 0);
    key_free(k);
    settle("m1", "", &b);
    assert_string_equal(reason, "");
    assert_memory_equal(key_public(a.key), key_public(b.key), KEY_PUBLIC);
    assert_int_equal(access(path, F_OK), -1);
    identity_clear(&b);
    /* ship.db knows it, the old file is still in its place. */
    rotate(&a, AFTER_SHIP_DB);
    settle("m1", "", &b);
    assert_string_equal(reason, "");
    assert_memory_equal(key_public(a.key), key_public(b.key), KEY_PUBLIC);
    assert_int_equal(access(path, F_OK), -1);
    identity_clear(&a);
    identity_clear(&b);
}

/* The last key object's "previous_key" is that of ${key}. */
static int on_object(void *user, const char *name, const struct buf *line)
{
    struct buf *last = user;

    (void)name;
    buf_reset(last);
    return buf_append(last, buf_data(line), line->len, NULL);
}

static void assert_vouched_for(const struct key *key)
{
    char hex[2 * KEY_PUBLIC + 1], want[2 * KEY_PUBLIC + 40];
    struct state *s = NULL;
    struct error err;
    struct buf last;

    buf_init(&last, KEYOBJECT_MAX);
    (void)snprintf(want, sizeof want, "\"previous_key\":\"%s\"",
                   io_hex(key_public(key), KEY_PUBLIC, hex));
    assert_int_equal(state_open(&s, state_path, &err), 0);
    assert_int_equal(state_keys(s, on_object, &last, &err), 0);
    assert_non_null(memmem(buf_data(&last), last.len, want, strlen(want)));
    state_close(s);
    buf_clear(&last);
}

/* A new epoch's key is vouched for by the one before, wherever its making is killed. */
static void test_a_killed_epoch_keeps_its_voucher(void **state)
{
    static const char epoch[] = "000000000000000000000000000000cc";
    struct key_binding of_next = {.number = 1, .created_us = 1, .machine = "m1"};
    struct identity a, b, c;
    struct key *k = NULL;
    struct error err;
    char next[600], old[600];

    (void)state;
    fresh_host();
    (void)snprintf(next, sizeof next, "%s.next", key_path);
    (void)snprintf(old, sizeof old, "%s.old", key_path);
    settle("m1", "", &a);
    assert_int_equal(key_save(a.key, old, &err), 0);
    /* Before ship.db: the file of a key that nobody knows. */
    set_meta("epoch", epoch);
    assert_int_equal(io_unhex(epoch, of_next.epoch, sizeof of_next.epoch), 0);
    assert_int_equal(key_generate(&k, &of_next, &err), 0);
    assert_int_equal(key_save(k, next, &err), 0);
    settle("m1", "", &b);
    assert_memory_equal(b.epoch, of_next.epoch, CHAIN_ID);
    assert_vouched_for(a.key);
    assert_int_equal(access(next, F_OK), -1);
    /* After it: the old file is still in its place. */
    assert_int_equal(rename(key_path, next), 0);
    assert_int_equal(rename(old, key_path), 0);
    settle("m1", "", &c);
    assert_memory_equal(key_public(b.key), key_public(c.key), KEY_PUBLIC);
    assert_string_equal(reason, "");
    assert_int_equal(access(next, F_OK), -1);
    key_free(k);
    identity_clear(&a);
    identity_clear(&b);
    identity_clear(&c);
}

static void test_another_instance_begins_an_epoch(void **state)
{
    struct identity a, b;

    (void)state;
    fresh_host();
    instance = "i-0123456789abcdef0";
    settle("m1", "", &a);
    assert_string_equal(key_binding(a.key)->instance, instance);
    instance = ""; /* not known is not another */
    settle("m1", "", &b);
    assert_string_equal(reason, "");
    identity_clear(&b);
    instance = "i-0fedcba9876543210";
    settle("m1", "", &b);
    assert_string_equal(reason, "another instance: the disk was cloned or moved");
    assert_string_equal(key_binding(b.key)->instance, instance);
    identity_clear(&a);
    identity_clear(&b);
    instance = "";
}

/* A batch, a new epoch that the database then knows nothing of: its first epoch's numbers are
 * taken. */
static void test_an_earlier_epoch_is_not_gone_on_with(void **state)
{
    struct manifest m = {.kind = "heartbeat", .host = "host-a", .seq = 1};
    struct identity a, b, c;
    struct state *s = NULL;
    struct error err;
    struct buf line;

    (void)state;
    fresh_host();
    settle("m1", "", &a);
    memcpy(m.epoch, a.epoch, sizeof m.epoch);
    buf_init(&line, 16);
    assert_int_equal(buf_puts(&line, "line", &err), 0);
    assert_int_equal(state_open(&s, state_path, &err), 0);
    assert_int_equal(state_epoch_used(s, a.epoch, &err), 0);
    assert_int_equal(state_freeze(s, &m, NULL, &line, &err), 0);
    assert_int_equal(state_epoch_used(s, a.epoch, &err), 1);
    state_close(s);
    buf_clear(&line);
    lose_key();
    settle("m1", "", &b);
    assert_string_equal(reason, "the host's key was lost");
    set_meta("epoch", "000000000000000000000000000000aa");
    settle("m1", "", &c);
    assert_string_equal(reason,
                        "the database went back to an earlier epoch: a backup, or power went");
    assert_memory_not_equal(a.epoch, c.epoch, CHAIN_ID);
    assert_memory_not_equal(b.epoch, c.epoch, CHAIN_ID);
    identity_clear(&a);
    identity_clear(&b);
    identity_clear(&c);
}

static void test_a_copied_database_begins_an_epoch(void **state)
{
    struct identity i;

    (void)state;
    fresh_host();
    settle("m2", "", &i);
    assert_string_equal(reason, "another machine: the database was copied");
    identity_clear(&i);
}

static void test_host_name_must_fit_a_path(void **state)
{
    static const char *const names[] = {"a/b", "..", "a b", "a\"b"};

    (void)state;
    fresh_host();
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct identity_config c = {
            .key_path = key_path, .host_name = names[n], .machine = "m1", .new_epoch = new_epoch};
        struct identity i;
        struct error err;

        assert_int_equal(reader_open(&c.evidence, db, &err), 0);
        assert_int_equal(state_open(&c.state, state_path, &err), 0);
        assert_int_equal(identity_settle(&c, &i, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        identity_clear(&i);
        state_close(c.state);
        reader_close(c.evidence);
    }
}

static int setup(void **state)
{
    (void)state;
    return tempdir_make(dir, sizeof dir) != 0;
}

static int drop(void **state)
{
    (void)state;
    return tempdir_drop(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_host_goes_on),
        cmocka_unit_test(test_misfits_begin_an_epoch),
        cmocka_unit_test(test_a_key_is_rotated),
        cmocka_unit_test(test_a_killed_rotation_is_finished_or_forgotten),
        cmocka_unit_test(test_a_killed_epoch_keeps_its_voucher),
        cmocka_unit_test(test_another_instance_begins_an_epoch),
        cmocka_unit_test(test_an_earlier_epoch_is_not_gone_on_with),
        cmocka_unit_test(test_a_copied_database_begins_an_epoch),
        cmocka_unit_test(test_host_name_must_fit_a_path),
    };

    return cmocka_run_group_tests(tests, setup, drop);
}
