/* SPDX-License-Identifier: Apache-2.0 */
/* A directory as a depot: nothing is overwritten, nothing leaves it, leftovers are no objects. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shipper/depot.h"
#include "storage/seal/chain.h"
#include "tests/unit/tempdir.h"

static char dir[256];
static struct depot *depot;
static struct conf conf;

static int setup(void **state)
{
    char url[512];
    struct error err;

    (void)state;
    if (tempdir_make(dir, sizeof dir) != 0 || conf_init(&conf, &err) != 0) {
        return -1;
    }
    (void)snprintf(url, sizeof url, "file://%s/", dir);
    return depot_open(&depot, url, &conf, &err);
}

static int teardown(void **state)
{
    (void)state;
    depot_close(depot);
    conf_clear(&conf);
    return tempdir_drop(dir);
}

static enum depot_put_result put(const char *name, const char *bytes)
{
    uint8_t sha[CHAIN_HASH];
    struct depot_put p = {.name = name, .bytes = bytes, .len = strlen(bytes), .sha256 = sha};
    enum depot_put_result r = DEPOT_PUT_EXISTS;
    struct error err;

    chain_sha256(bytes, strlen(bytes), sha);
    assert_int_equal(depot_put(depot, &p, &r, &err), 0);
    return r;
}

static void test_puts_once_and_never_over(void **state)
{
    struct error err;
    struct buf b;

    (void)state;
    assert_int_equal(put("a/b=1/c.json", "first"), DEPOT_PUT_CONFIRMED);
    assert_int_equal(put("a/b=1/c.json", "first"), DEPOT_PUT_CONFIRMED); /* the same is there */
    assert_int_equal(put("a/b=1/c.json", "other"), DEPOT_PUT_EXISTS);
    assert_int_equal(put("a/b=1/c.json", "longer than first"), DEPOT_PUT_EXISTS);
    buf_init(&b, 100);
    assert_int_equal(depot_get(depot, "a/b=1/c.json", NULL, 100, &b, &err), 0);
    assert_int_equal(b.len, 5);
    assert_memory_equal(buf_data(&b), "first", 5);
    assert_int_equal(depot_get(depot, "a/none", NULL, 100, &b, &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.code, ENOENT);
    assert_int_equal(depot_get(depot, "a/b=1/c.json", NULL, 4, &b, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_clear(&b);
}

static void test_names_stay_below(void **state)
{
    static const char *const names[] = {"../x", "/etc/x", "a/../../x", ""};
    uint8_t sha[CHAIN_HASH] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct depot_put p = {.name = names[i], .bytes = "x", .len = 1, .sha256 = sha};
        enum depot_put_result r;
        struct error err;

        assert_int_equal(depot_put(depot, &p, &r, &err), -1);
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
}

static int count(void *user, const struct depot_item *item)
{
    (void)item;
    ++*(int *)user;
    return 0;
}

static void test_lists_objects_alone(void **state)
{
    char path[512];
    struct error err;
    int n = 0;
    FILE *f;

    (void)state;
    assert_int_equal(put("list/x/1", "1"), DEPOT_PUT_CONFIRMED);
    assert_int_equal(put("list/x/2", "2"), DEPOT_PUT_CONFIRMED);
    (void)snprintf(path, sizeof path, "%s/list/x/3.0123456789abcdef.tmp", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fclose(f);
    assert_int_equal(depot_list(depot, "list/", count, &n, &err), 0);
    assert_int_equal(n, 2);
    n = 0;
    assert_int_equal(depot_list(depot, "nothing/", count, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(depot_list_versions(depot, "list/", count, &n, &err), 1);
}

static void test_follows_no_link(void **state)
{
    struct depot_put p = {.name = "away/dt=2026-11-22/a", .bytes = "x", .len = 1};
    enum depot_put_result r = DEPOT_PUT_EXISTS;
    uint8_t sha[CHAIN_HASH];
    char link[300];
    struct error err;

    (void)state;
    chain_sha256("x", 1, sha);
    p.sha256 = sha;
    (void)snprintf(link, sizeof link, "%s/away", dir);
    assert_int_equal(symlink("/tmp", link), 0);
    assert_int_equal(depot_put(depot, &p, &r, &err), -1);
    assert_int_equal(err.kind, ERR_DENIED);
    assert_non_null(strstr(err.text, "away is a link or a file"));
}

static int make(const char *below, const char *name)
{
    uint8_t sha[CHAIN_HASH];
    struct depot_put p = {.name = name, .bytes = "x", .len = 1, .sha256 = sha};
    enum depot_put_result r;
    struct depot *d = NULL;
    char url[512];
    struct error err;
    int rc;

    (void)snprintf(url, sizeof url, "file://%s/%s", dir, below);
    assert_int_equal(depot_open(&d, url, &conf, &err), 0);
    chain_sha256("x", 1, sha);
    rc = depot_put(d, &p, &r, &err);
    depot_close(d);
    return rc;
}

static void test_makes_its_own_directory_alone(void **state)
{
    char path[512], aside[512];

    (void)state;
    assert_int_equal(make("one/two", "a/b"), -1);
    (void)snprintf(path, sizeof path, "%s/one", dir);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(make("one", "a/b"), 0);
    assert_int_equal(make("one/two", "a/b"), 0);
    /* It was there, and is away: it does not come back empty. */
    (void)snprintf(aside, sizeof aside, "%s.aside", dir);
    assert_int_equal(put("first/x", "x"), DEPOT_PUT_CONFIRMED);
    assert_int_equal(rename(dir, aside), 0);
    {
        uint8_t sha[CHAIN_HASH];
        struct depot_put p = {.name = "second/x", .bytes = "x", .len = 1, .sha256 = sha};
        enum depot_put_result r;
        struct error err;

        chain_sha256("x", 1, sha);
        assert_int_equal(depot_put(depot, &p, &r, &err), -1);
    }
    assert_int_not_equal(access(dir, F_OK), 0);
    assert_int_equal(rename(aside, dir), 0);
}

static void test_urls(void **state)
{
    static const char *const wrong[] = {"",        "file://relative", "s3://",
                                        "s3://ab", "http://x/y",      "x"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct depot *d = NULL;
        struct error err;

        assert_int_equal(depot_open(&d, wrong[i], &conf, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_puts_once_and_never_over),
        cmocka_unit_test(test_names_stay_below),
        cmocka_unit_test(test_lists_objects_alone),
        cmocka_unit_test(test_follows_no_link),
        cmocka_unit_test(test_makes_its_own_directory_alone),
        cmocka_unit_test(test_urls),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
