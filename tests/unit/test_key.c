/* SPDX-License-Identifier: Apache-2.0 */
/* The host's key survives its file, and only exact bytes under the right domain are signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shipper/keyobject.h"
#include "tests/unit/tempdir.h"

#define DOMAIN "test 1\n"

static char dir[256], path[512];

static int make_dir(void **state)
{
    (void)state;
    if (tempdir_make(dir, sizeof dir) != 0) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/host.key", dir);
    return 0;
}

static int drop_dir(void **state)
{
    (void)state;
    return tempdir_drop(dir);
}

static struct key *generate(uint8_t epoch)
{
    struct key_binding b = {.number = 1, .created_us = 1700000000000000, .machine = "0123abcd"};
    struct error err;
    struct key *k = NULL;

    memset(b.epoch, epoch, sizeof b.epoch);
    assert_int_equal(key_generate(&k, &b, &err), 0);
    return k;
}

static void test_file_gives_the_same_key_back(void **state)
{
    struct key *k = generate(7), *again = NULL;
    uint8_t sig[KEY_SIGNATURE];
    struct error err;
    struct stat st;

    (void)state;
    assert_int_equal(key_save(k, path, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(key_load(&again, path, &err), 0);
    assert_memory_equal(key_public(again), key_public(k), KEY_PUBLIC);
    assert_memory_equal(key_binding(again)->epoch, key_binding(k)->epoch, KEY_EPOCH);
    assert_int_equal(key_binding(again)->created_us, 1700000000000000);
    assert_string_equal(key_binding(again)->machine, "0123abcd");
    assert_int_equal(key_sign(again, DOMAIN, "abc", 3, sig, &err), 0);
    assert_true(key_check(key_public(k), DOMAIN, "abc", 3, sig));
    key_free(again);
    key_free(k);
}

static void test_file_that_others_read_is_refused(void **state)
{
    struct key *k = generate(7), *again = NULL;
    struct error err;

    (void)state;
    assert_int_equal(key_save(k, path, &err), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(key_load(&again, path, &err), -1);
    assert_int_equal(err.kind, ERR_DENIED);
    key_free(k);
}

static void test_file_that_is_none_is_refused(void **state)
{
    static const char no_key[] = "x\nEpoch: 07070707070707070707070707070707\nNumber: 1\n"
                                 "Created: 1\nMachine: \nno key\n";
    const char *const texts[] = {"", "ttytrail\nEpoch: 00\n", no_key};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        FILE *f = fopen(path, "w");
        struct key *k = NULL;
        struct error err;

        assert_non_null(f);
        (void)fputs(texts[i], f);
        (void)fclose(f);
        assert_int_equal(chmod(path, 0600), 0);
        assert_int_equal(key_load(&k, path, &err), -1);
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
}

static void test_signature_binds_domain_bytes_and_key(void **state)
{
    struct key *k = generate(1), *other = generate(1);
    uint8_t sig[KEY_SIGNATURE];
    struct error err;

    (void)state;
    assert_int_equal(key_sign(k, DOMAIN, "abc", 3, sig, &err), 0);
    assert_true(key_check(key_public(k), DOMAIN, "abc", 3, sig));
    assert_false(key_check(key_public(k), DOMAIN, "abd", 3, sig));
    assert_false(key_check(key_public(k), DOMAIN, "ab", 2, sig));
    assert_false(key_check(key_public(k), "test 2\n", "abc", 3, sig));
    assert_false(key_check(key_public(other), DOMAIN, "abc", 3, sig));
    sig[3] ^= 1;
    assert_false(key_check(key_public(k), DOMAIN, "abc", 3, sig));
    key_free(other);
    key_free(k);
}

static void test_sealed_line_has_one_spelling(void **state)
{
    struct key *k = generate(1);
    uint8_t sig[KEY_SIGNATURE], *text;
    struct error err;
    struct buf line;
    size_t n = 0;

    (void)state;
    buf_init(&line, 4096);
    assert_int_equal(buf_puts(&line, "{\"a\":1", &err), 0);
    assert_int_equal(key_seal_line(k, DOMAIN, &line, &err), 0);
    text = buf_data(&line);
    assert_true(key_split_line(text, line.len, &n, sig));
    assert_int_equal(n, strlen("{\"a\":1"));
    assert_true(key_check(key_public(k), DOMAIN, text, n, sig));
    assert_false(key_split_line(text, line.len - 1, &n, sig));
    for (size_t i = n; i < line.len; i++) {
        uint8_t was = text[i];

        if (was >= 'a' && was <= 'f') {
            text[i] = (uint8_t)(was - 32); /* upper-case hex is another document */
            assert_false(key_split_line(text, line.len, &n, sig));
            text[i] = was;
        }
    }
    buf_clear(&line);
    key_free(k);
}

static void read_back(const struct buf *line, struct keyobject *ret, int expected)
{
    struct json *j = NULL;
    struct error err;

    assert_int_equal(json_open(&j, &err), 0);
    assert_int_equal(keyobject_read(j, buf_data(line), line->len, ret, &err), expected);
    json_close(j);
}

static void test_key_object_is_signed_by_both(void **state)
{
    struct key *first = generate(1), *second = generate(2);
    struct keyobject o;
    struct error err;
    struct buf line;
    char name[128];

    (void)state;
    buf_init(&line, KEYOBJECT_MAX);
    assert_int_equal(keyobject_write(&line, "i-0abc", "first start", first, NULL, &err), 0);
    read_back(&line, &o, 0);
    assert_string_equal(o.host, "i-0abc");
    assert_false(o.chained);
    keyobject_name(o.host, o.epoch, o.number, name, sizeof name);
    assert_string_equal(name, "keys/host=i-0abc/01010101010101010101010101010101-1.json");
    buf_reset(&line);
    assert_int_equal(keyobject_write(&line, "i-0abc", "a \"clone\"", second, first, &err), 0);
    read_back(&line, &o, 0);
    assert_true(o.chained && o.previous_ok);
    assert_true(o.previous_known && o.previous_number == key_binding(first)->number);
    assert_memory_equal(o.previous_epoch, key_binding(first)->epoch, KEY_EPOCH);
    assert_int_equal(o.from_seq, 1);
    assert_memory_equal(o.previous_key, key_public(first), KEY_PUBLIC);
    for (size_t i = 0; i < line.len; i++) {
        buf_data(&line)[i] ^= 1;
        read_back(&line, &o, -1);
        buf_data(&line)[i] ^= 1;
    }
    buf_clear(&line);
    key_free(first);
    key_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_gives_the_same_key_back),
        cmocka_unit_test(test_file_that_others_read_is_refused),
        cmocka_unit_test(test_file_that_is_none_is_refused),
        cmocka_unit_test(test_signature_binds_domain_bytes_and_key),
        cmocka_unit_test(test_sealed_line_has_one_spelling),
        cmocka_unit_test(test_key_object_is_signed_by_both),
    };

    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
