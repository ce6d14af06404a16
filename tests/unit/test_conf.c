/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail.conf: defaults, every key, and errors that name file and line. */
#include "tests/unit/check.h"
#include "tests/unit/tempdir.h"

#include "common/conf.h"
#include "common/io.h"

static char dir[200], path[260];

static void write_file(const char *name, const char *text)
{
    char at[300];
    struct error err;

    (void)snprintf(at, sizeof at, "%s/%s", dir, name);
    MUST(io_replace_file(-1, at, 0600, text, strlen(text), &err));
}

static int setup(void **state)
{
    (void)state;
    if (tempdir_make(dir, sizeof dir) != 0) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/ttytrail.conf", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return tempdir_drop(dir);
}

static void defaults_are_those_of_the_manual(void **state)
{
    struct conf c;
    struct error err;

    (void)state;
    MUST(conf_init(&c, &err));
    assert_int_equal(c.commit, CONF_COMMIT_FIRST);
    assert_int_equal(c.on_writer_loss, CONF_LOSS_END);
    assert_int_equal(c.redact, CONF_REDACT_BALANCED);
    assert_int_equal(c.durability, CONF_DURABILITY_PROCESS);
    assert_int_equal(c.on_disk_full, CONF_FULL_RING);
    assert_int_equal(c.segment_kib, 512);
    assert_int_equal(c.keep_days, 30);
    assert_string_equal(c.ship_to, "");
    conf_clear(&c);
    conf_clear(&c);
}

static void every_key_is_read(void **state)
{
    struct conf c;
    struct error err;

    (void)state;
    write_file(
        "ttytrail.conf",
        "# all of them\n[record]\ncommit = batch\ncommit_ms = 10000\ninput=off\nstream_kib = 0\n"
        "stream_input = on\non_writer_loss = continue\nwriter_timeout_s = 1\nnotice = read me\n"
        "[redact]\nredact = off\nblind_commands = redact\nprompt_patterns = a|b\n"
        "mask_output = keep\nhold_max_kib = 1024\nhold_max_s = 600\ntypeahead_hold_s = 0\n"
        "tokens = off\n[store]\ndurability = power\nsegment_kib = 1\nwal_max_mib = 1\n"
        "reserve_mib = 0\non_disk_full = continue\nkeep_days = 0\n[ship]\nto = s3://b/p\n"
        "ship_kib = 64\nship_every_s = 86400\nheartbeat_h = 0\nconfirm = head\n[s3]\n"
        "endpoint = https://e\nregion = eu-west-1\npath_style = yes\nhost_name = h\n"
        "expected_owner = 123456789012\nkms_key = k\nca_file = /c\n[trail]\ntrail = t\n"
        "digest_keys = d\nskew_s = 3600\n");
    MUST(conf_open(&c, path, &err));
    assert_int_equal(c.commit, CONF_COMMIT_BATCH);
    assert_int_equal(c.commit_ms, 10000);
    assert_int_equal(c.input, 0);
    assert_int_equal(c.on_writer_loss, CONF_LOSS_CONTINUE);
    assert_string_equal(c.notice, "read me");
    assert_int_equal(c.redact, CONF_REDACT_OFF);
    assert_string_equal(c.prompt_patterns, "a|b");
    assert_int_equal(c.durability, CONF_DURABILITY_POWER);
    assert_int_equal(c.on_disk_full, CONF_FULL_CONTINUE);
    assert_string_equal(c.ship_to, "s3://b/p");
    assert_int_equal(c.confirm, CONF_CONFIRM_HEAD);
    assert_int_equal(c.s3_path_style, 1);
    assert_string_equal(c.s3_kms_key, "k");
    assert_int_equal(c.trail_skew_s, 3600);
    conf_clear(&c);
}

static void mistakes_are_named_with_their_line(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[record]\ncolour = red\n", ":2: unknown key colour in [record]"},
        {"[nonsense]\ncommit = first\n", ":2: unknown key commit in [nonsense]"},
        {"commit = first\n", ":1: unknown key"},
        {"[record]\ncommit = never\n", ":2: commit must be one of first|batch"},
        {"[record]\n\ncommit_ms = 0\n", ":3: commit_ms must be a number from 1 to 10000"},
        {"[record]\ncommit_ms = 10001\n", ":2: commit_ms"},
        {"[record]\ncommit_ms = 5x\n", ":2: commit_ms"},
        {"[record]\ncommit_ms =\n", ":2: commit_ms"},
        {"[record]\ncommit_ms = 99999999999999999999\n", ":2: commit_ms"},
        {"[record]\nwhat is this\n", ":2: neither"},
    };
    struct conf c;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file("ttytrail.conf", cases[i].text);
        REFUSES(conf_open(&c, path, &err), ERR_USAGE);
        if (strstr(err.text, cases[i].says) == NULL) {
            fail_msg("%s", err.text);
        }
    }
    (void)snprintf(path, sizeof path, "%s/nowhere.conf", dir);
    REFUSES(conf_open(&c, path, &err), ERR_SYSTEM);
}

static void conf_d_is_read_in_order(void **state)
{
    char sub[260];
    struct conf c;
    struct error err;

    (void)state;
    (void)snprintf(sub, sizeof sub, "%s/conf.d", dir);
    MUST(io_mkdirs(sub, 0700, &err));
    write_file("ttytrail.conf", "[store]\nkeep_days = 1\nsegment_kib = 9\n");
    write_file("conf.d/20.conf", "[store]\nkeep_days = 3\n");
    write_file("conf.d/10.conf", "[store]\nkeep_days = 2\n");
    write_file("conf.d/.hidden.conf", "nonsense\n");
    write_file("conf.d/30.conf.bak", "nonsense\n");
    MUST(conf_open(&c, path, &err));
    assert_int_equal(c.keep_days, 3);
    assert_int_equal(c.segment_kib, 9);
    conf_clear(&c);
    write_file("conf.d/40.conf", "[store]\n\nkept = 3\n");
    REFUSES(conf_open(&c, path, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "conf.d/40.conf:3: unknown key kept"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test_setup_teardown(every_key_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_are_named_with_their_line, setup, teardown),
        cmocka_unit_test_setup_teardown(conf_d_is_read_in_order, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
