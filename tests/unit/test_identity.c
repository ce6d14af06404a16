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

#include "shipper/identity.h"
#include "storage/db/store.h"
#include "tests/unit/tempdir.h"

static char dir[256];
static char db[512], key_path[512], state_path[512];
static int serial, epochs;
static char reason[256];

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
        cmocka_unit_test(test_a_copied_database_begins_an_epoch),
        cmocka_unit_test(test_host_name_must_fit_a_path),
    };

    return cmocka_run_group_tests(tests, setup, drop);
}
