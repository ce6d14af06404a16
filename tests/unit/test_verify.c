/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/verify.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shipper/verify_name.h"
#include "tests/unit/check.h"

#define ZEROS "00000000000000000000000000000000"
#define SHA   ZEROS ZEROS
#define BATCH "000000000012-20261127T081500Z-" SHA

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool ours;
        enum verify_kind kind;
        const char *host, *day;
        int64_t seq;
    } rows[] = {
        {"keys/host=web1/" ZEROS "-1.json", true, VERIFY_KEYS, "web1", "", 0},
        {"keys/host=web1/" ZEROS "-12.json.r3", true, VERIFY_KEYS, "web1", "", 0},
        {"keys/host=AROA:i-0a/" ZEROS "-1.json", true, VERIFY_KEYS, "AROA:i-0a", "", 0},
        {"keys/host=web1/" ZEROS "-.json", false, VERIFY_KEYS, "web1", "", 0},
        {"keys/host=web1/" ZEROS "-1.json.r", false, VERIFY_KEYS, "web1", "", 0},
        {"keys/host=/" ZEROS "-1.json", false, VERIFY_KEYS, "", "", 0},
        {"batches/dt=2026-11-27/host=web1/" BATCH ".json", true, VERIFY_BATCHES, "web1",
         "2026-11-27", 12},
        {"batches/dt=2026-11-27/host=web1/" BATCH ".json.r1", true, VERIFY_BATCHES, "web1",
         "2026-11-27", 12},
        {"batches/dt=2026-11-27/host=web1/" BATCH ".cast.gz", false, VERIFY_BATCHES, "web1",
         "2026-11-27", 12},
        {"packs/dt=2026-11-27/host=web1/" BATCH ".cast.gz", true, VERIFY_PACKS, "web1",
         "2026-11-27", 12},
        {"packs/dt=2026-11-27/host=web1/" BATCH ".cast.gz.r1.r1", false, VERIFY_PACKS, "web1",
         "2026-11-27", 12},
        {"packs/dt=2026-11-27/host=web1/evil/" BATCH ".cast.gz", false, VERIFY_PACKS, "web1",
         "2026-11-27", 0},
        {"packs/dt=2026-11-27/host=../web1/" BATCH ".cast.gz", false, VERIFY_PACKS, "..",
         "2026-11-27", 0},
        {"packs/dt=2026-11-7/host=web1/" BATCH ".cast.gz", false, VERIFY_PACKS, "", "2026-11-7", 0},
        {"tables/x", false, VERIFY_BATCHES, "", "", 0},
        {"", false, VERIFY_BATCHES, "", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct verify_name n;

        if (verify_name_parse(rows[i].name, &n) != rows[i].ours) {
            fail_msg("%s: %s", rows[i].name, rows[i].ours ? "is ours" : "is not ours");
        }
        assert_int_equal(n.kind, rows[i].kind);
        assert_string_equal(n.host, rows[i].host);
        assert_string_equal(n.day, rows[i].day);
        if (rows[i].ours) {
            assert_int_equal(n.seq, rows[i].seq);
        }
    }
}

static void test_pins(void **state)
{
    static const struct {
        const char *text;
        int pins; /* -1: refused */
    } rows[] = {
        {"", 0},
        {"# nothing\n\n  \n", 0},
        {"web1 " ZEROS " " SHA "\n", 1},
        {"web1 " ZEROS " " SHA, 1},
        {"web1\t" ZEROS "  " SHA " # of the first epoch\r\nweb2 " ZEROS " " SHA "\n", 2},
        {"web1 " ZEROS "\n", -1},
        {"web1 " ZEROS " " SHA " more\n", -1},
        {"../web1 " ZEROS " " SHA "\n", -1},
        {"web1 " SHA " " ZEROS "\n", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error err = {.kind = ERR_NONE};
        struct verify_pins pins;
        int rc = verify_pins_parse(rows[i].text, strlen(rows[i].text), &pins, &err);

        if (rc != (rows[i].pins < 0 ? -1 : 0)) {
            fail_msg("row %zu: %s", i, err.text);
        }
        if (rc == 0) {
            assert_int_equal(pins.n, rows[i].pins);
        } else {
            assert_int_equal(err.kind, ERR_USAGE);
            assert_non_null(strstr(err.text, "line 1"));
        }
        verify_pins_clear(&pins);
    }
}

static void test_hosts(void **state)
{
    struct error err = {.kind = ERR_NONE};
    struct verify_names names;
    static const char list[] = "web1,web2 web3 # not web4\nweb5\n";

    (void)state;
    assert_int_equal(verify_names_parse(list, strlen(list), &names, &err), 0);
    assert_int_equal(names.n, 4);
    assert_string_equal(names.at[3], "web5");
    verify_names_clear(&names);
    assert_int_equal(verify_names_parse("a/b", 3, &names, &err), -1);
    verify_names_clear(&names);
}

static void take_line(void *user, const struct verify_line *l)
{
    *(enum verify_verdict *)user = l->verdict;
}

/* A first line that begins like a header and is none. */
static void test_file_header(void **state)
{
    static const struct {
        const char *text;
        enum verify_verdict want;
    } rows[] = {
        {"{\"version\": 2, \"width\": 80, \"height\": 24}\n[0.5, \"o\", \"x\"]\n", VERIFY_READABLE},
        {"{\"version\":2}", VERIFY_READABLE},
        {"{\"version\":2\n", VERIFY_ALTERED},
        {"{\"version\":2} x\n[0.5, \"o\", \"x\"]\n", VERIFY_ALTERED},
        {"{\n", VERIFY_ALTERED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum verify_verdict got = VERIFY_VERDICTS;
        struct verify v = {.line = take_line, .user = &got};
        struct error err = {.kind = ERR_NONE};
        char path[] = "/tmp/ttytrail-header.XXXXXX";
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, rows[i].text, strlen(rows[i].text)), strlen(rows[i].text));
        close(fd);
        assert_int_equal(verify_file(&v, path, &err), 0);
        assert_int_equal(got, rows[i].want);
        assert_int_equal(v.sum.findings, rows[i].want == VERIFY_ALTERED);
        unlink(path);
    }
}

/* Whoever reads a finding is told what to do, and what is none has no remedy. */
static void test_words(void **state)
{
    (void)state;
    for (int v = 0; v < VERIFY_VERDICTS; v++) {
        assert_non_null(verify_word((enum verify_verdict)v));
        for (int place = VERIFY_DATABASE; place <= VERIFY_BUCKET; place++) {
            const struct verify_line l = {.what = "batch", .verdict = (enum verify_verdict)v};

            assert_int_equal(verify_remedy(&l, (enum verify_place)place) != NULL,
                             verify_is_finding((enum verify_verdict)v));
        }
    }
}

/* What is done about it depends on where it is. */
static void test_remedies(void **state)
{
    static const struct {
        const char *what;
        enum verify_verdict verdict;
        enum verify_place place;
        const char *with, *without;
    } rows[] = {
        {"batch", VERIFY_ALTERED, VERIFY_BUCKET, "access log", NULL},
        {"batch", VERIFY_ALTERED, VERIFY_BUCKET, "ship --again", NULL},
        {"batch", VERIFY_ALTERED, VERIFY_DIRECTORY, "ship --again", "access log"},
        {"batch", VERIFY_ALTERED, VERIFY_DIRECTORY, "directory", "version"},
        {"session", VERIFY_ALTERED, VERIFY_DATABASE, "ttytrail import", "bucket"},
        {"file", VERIFY_ALTERED, VERIFY_FILES, "ttytrail export", "version"},
        {"batch", VERIFY_GAP, VERIFY_BUCKET, "ship --again", NULL},
        {"host", VERIFY_GAP, VERIFY_BUCKET, "status", "--again"}, /* it has no batch */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct verify_line l = {.what = rows[i].what, .verdict = rows[i].verdict};
        const char *got = verify_remedy(&l, rows[i].place);

        assert_non_null(strstr(got, rows[i].with));
        assert_true(rows[i].without == NULL || strstr(got, rows[i].without) == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_pins),
        cmocka_unit_test(test_hosts),    cmocka_unit_test(test_file_header),
        cmocka_unit_test(test_remedies), cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
