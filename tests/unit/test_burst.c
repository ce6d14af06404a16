/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of each burst are kept, the middle is counted and hashed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/io.h"
#include "recorder/burst.h"

struct kept {
    char text[4096];
    size_t len;
    unsigned elided;
    uint64_t bytes, kept;
    char hash[65];
};

static void on_keep(void *user, uint64_t t, const uint8_t *bytes, size_t len)
{
    struct kept *k = user;

    (void)t;
    assert_true(k->len + len < sizeof k->text);
    memcpy(k->text + k->len, bytes, len);
    k->len += len;
    k->text[k->len] = '\0';
}

static void on_elided(void *user, uint64_t t, uint64_t bytes, uint64_t kept,
                      const uint8_t hash[BURST_HASH])
{
    struct kept *k = user;

    (void)t;
    k->elided++;
    k->bytes = bytes;
    k->kept = kept;
    io_hex(hash, BURST_HASH, k->hash);
}

static struct burst *make(struct kept *k, size_t keep)
{
    struct burst_sink sink = {k, on_keep, on_elided};
    struct burst *b = NULL;
    struct error err;

    memset(k, 0, sizeof *k);
    assert_int_equal(burst_new(&b, keep, &sink, &err), 0);
    return b;
}

static size_t add(struct burst *b, uint64_t t, const char *text)
{
    return burst_add(b, t, (const uint8_t *)text, strlen(text));
}

static void test_both_ends(void **state)
{
    static const struct {
        const char *pieces[6];
        const char *kept;
        unsigned elided;
    } table[] = {
        {{"abc"}, "abc", 0},
        {{"abcd"}, "abcd", 0},
        {{"abcdefgh"}, "abcdefgh", 0},
        {{"abcdefghi"}, "abcdfghi", 1},
        {{"ab", "cdef", "ghijkl"}, "abcdijkl", 1},
        {{"abcdefghijklmnopqrstuvwxyz"}, "abcdwxyz", 1},
        {{"a", "b", "c", "d", "e", "f"}, "abcdef", 0},
        {{"abcd", "efghi", "j"}, "abcdghij", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct kept k;
        struct burst *b = make(&k, 4);
        uint64_t bytes;
        uint8_t hash[BURST_HASH];

        for (size_t p = 0; p < 6 && table[i].pieces[p] != NULL; p++) {
            add(b, p, table[i].pieces[p]);
        }
        burst_end(b, &bytes, hash);
        assert_string_equal(k.text, table[i].kept);
        assert_int_equal(k.elided, table[i].elided);
        burst_free(b);
    }
}

static void test_bursts_are_a_second_apart(void **state)
{
    struct kept k;
    struct burst *b = make(&k, 2);
    uint64_t bytes;
    uint8_t hash[BURST_HASH];

    (void)state;
    assert_int_equal(add(b, 0, "abcdef"), 2);
    assert_int_equal(burst_deadline(b), BURST_GAP_US);
    burst_tick(b, BURST_GAP_US - 1);
    assert_string_equal(k.text, "ab");
    burst_tick(b, BURST_GAP_US);
    assert_string_equal(k.text, "abef");
    assert_int_equal(k.bytes, 6);
    assert_int_equal(k.kept, 4);
    assert_true(burst_deadline(b) == UINT64_MAX);
    /* The next one has a beginning of its own. */
    assert_int_equal(add(b, BURST_GAP_US + 5, "xy"), 2);
    burst_end(b, &bytes, hash);
    assert_string_equal(k.text, "abefxy");
    assert_int_equal(bytes, 8);
    burst_free(b);
}

/* SHA-256 of "abcdef" and of the million 'a' of FIPS 180-2. */
static void test_hashes(void **state)
{
    static const char abcdef[] = "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721";
    static const char million[] =
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    struct kept k;
    struct burst *b = make(&k, 2);
    uint64_t bytes;
    uint8_t hash[BURST_HASH];
    char hex[65];

    (void)state;
    add(b, 0, "abcdef");
    burst_tick(b, BURST_GAP_US);
    assert_string_equal(k.hash, abcdef);
    burst_end(b, &bytes, hash);
    assert_string_equal(io_hex(hash, BURST_HASH, hex), abcdef);
    burst_free(b);

    b = make(&k, 0);
    for (int i = 0; i < 1000; i++) {
        uint8_t thousand[1000];

        memset(thousand, 'a', sizeof thousand);
        assert_int_equal(burst_add(b, (uint64_t)i, thousand, sizeof thousand), 0);
    }
    burst_end(b, &bytes, hash);
    assert_int_equal(bytes, 1000000);
    assert_int_equal(k.len, 0);
    assert_string_equal(io_hex(hash, BURST_HASH, hex), million);
    burst_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends),
        cmocka_unit_test(test_bursts_are_a_second_apart),
        cmocka_unit_test(test_hashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
