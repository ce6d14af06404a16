/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail.conf: defaults, every key, and errors that name file and line. */
#include "tests/unit/check.h"
#include "tests/unit/tempdir.h"

#include <unistd.h>

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
    assert_int_equal(c.blind_commands, CONF_BLIND_ALERT);
    assert_int_equal(c.mask_output, CONF_MASK_HIDE);
    assert_int_equal(c.typeahead_hold_s, 2);
    assert_int_equal(c.tokens, 1);
    assert_int_equal(c.max_no_echo, 512);
    assert_string_equal(c.prompt_patterns, "");
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
        "tokens = off\nmax_no_echo = 0\n[store]\ndurability = power\nsegment_kib = 1\nwal_max_mib "
        "= 1\n"
        "reserve_mib = 0\non_disk_full = continue\nkeep_days = 0\n[ship]\nto = s3://b/p\n"
        "ship_kib = 64\nship_every_s = 86400\nheartbeat_h = 0\nconfirm = head\n"
        "in_flight = 64\nrate_kib_s = 100\nrequests_s = 7\n[s3]\n"
        "endpoint = https://e\nregion = eu-west-1\npath_style = yes\nhost_name = h\n"
        "expected_owner = 123456789012\nkms_key = k\nsse = kms\nbucket_key = no\n"
        "storage_class = GLACIER_IR\ntags = a=1&b=2\nlock_mode = compliance\nlock_days = 365\n"
        "legal_hold = yes\nca_file = /c\n[trail]\ntrail = t\n"
        "digest_keys = d\nskew_s = 3600\n");
    MUST(conf_open(&c, path, &err));
    assert_int_equal(c.commit, CONF_COMMIT_BATCH);
    assert_int_equal(c.commit_ms, 10000);
    assert_int_equal(c.input, 0);
    assert_int_equal(c.on_writer_loss, CONF_LOSS_CONTINUE);
    assert_string_equal(c.notice, "read me");
    assert_int_equal(c.redact, CONF_REDACT_OFF);
    assert_string_equal(c.prompt_patterns, "a|b");
    assert_int_equal(c.blind_commands, CONF_BLIND_REDACT);
    assert_int_equal(c.mask_output, CONF_MASK_KEEP);
    assert_int_equal(c.hold_max_kib, 1024);
    assert_int_equal(c.hold_max_s, 600);
    assert_int_equal(c.typeahead_hold_s, 0);
    assert_int_equal(c.tokens, 0);
    assert_int_equal(c.max_no_echo, 0);
    assert_int_equal(c.durability, CONF_DURABILITY_POWER);
    assert_int_equal(c.on_disk_full, CONF_FULL_CONTINUE);
    assert_string_equal(c.ship_to, "s3://b/p");
    assert_int_equal(c.confirm, CONF_CONFIRM_HEAD);
    assert_int_equal(c.s3_path_style, 1);
    assert_string_equal(c.s3_kms_key, "k");
    assert_int_equal(c.ship_in_flight, 64);
    assert_int_equal(c.ship_rate_kib_s, 100);
    assert_int_equal(c.ship_requests_s, 7);
    assert_int_equal(c.s3_sse, CONF_SSE_KMS);
    assert_int_equal(c.s3_bucket_key, 0);
    assert_string_equal(c.s3_storage_class, "GLACIER_IR");
    assert_string_equal(c.s3_tags, "a=1&b=2");
    assert_int_equal(c.s3_lock_mode, CONF_LOCK_COMPLIANCE);
    assert_int_equal(c.s3_lock_days, 365);
    assert_int_equal(c.s3_legal_hold, 1);
    assert_int_equal(c.trail_skew_s, 3600);
    conf_clear(&c);
}

static void groups_stand_over_the_host(void **state)
{
    struct conf c, g;
    struct error err;
    uint32_t ways;

    (void)state;
    write_file("ttytrail.conf",
               "[group wheel]\nmode = strict\non_disk_full = continue\nnotice = hello\n"
               "[group ci]\nrecord = off\nways = command, subsystem\ncommit_ms = 7\n"
               "[record]\ncommit = batch\ncommit_ms = 99\nnotice = all\nbreak_glass = ops, admin\n"
               "[group wheel]\nidle_s = 11\n");
    MUST(conf_open(&c, path, &err));
    assert_int_equal(c.commit, CONF_COMMIT_BATCH);
    assert_int_equal(c.on_writer_loss, CONF_LOSS_END);
    assert_string_equal(c.break_glass, "ops, admin");
    assert_string_equal(conf_group(&c, 0), "wheel");
    assert_string_equal(conf_group(&c, 1), "ci");
    assert_null(conf_group(&c, 2));
    MUST(conf_for_group(&c, 0, &g, &err)); /* its mode stands over the host's single keys */
    assert_int_equal(g.commit, CONF_COMMIT_FIRST);
    assert_int_equal(g.on_writer_loss, CONF_LOSS_BLOCK);
    assert_int_equal(g.on_disk_full, CONF_FULL_CONTINUE);
    assert_int_equal(g.commit_ms, 99);
    assert_int_equal(g.idle_s, 11);
    assert_string_equal(g.notice, "hello");
    conf_clear(&g);
    MUST(conf_for_group(&c, 1, &g, &err)); /* without a mode the host's keys stay */
    assert_int_equal(g.record, 0);
    assert_int_equal(g.commit, CONF_COMMIT_BATCH);
    assert_int_equal(g.commit_ms, 7);
    assert_string_equal(g.notice, "all");
    assert_int_equal(conf_ways(g.ways, &ways), 0);
    assert_int_equal(ways, CONF_WAY_COMMAND | CONF_WAY_SUBSYSTEM);
    conf_clear(&g);
    conf_clear(&c);
    write_file("ttytrail.conf", "[record]\nmode = best-effort\non_writer_loss = end\n");
    MUST(conf_open(&c, path, &err));
    assert_int_equal(c.commit, CONF_COMMIT_BATCH);
    assert_int_equal(c.on_writer_loss, CONF_LOSS_END);
    assert_int_equal(c.on_disk_full, CONF_FULL_CONTINUE);
    conf_clear(&c);
}

static void mistakes_are_named_with_their_line(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[record]\ncolour = red\n", ":2: unknown key colour in [record]"},
        {"[nonsense]\ncommit = first\n", ":1: unknown section [nonsense]"},
        {"[record]\n[shp]\n", ":2: unknown section [shp]"},
        {"[shp]", ":1: unknown section [shp]"},
        {"[x\x1b[2J]\n", "unknown section [x\\x1b[2J]"},
        {"commit = first\n", ":1: 'commit = first' stands outside any section"},
        {"\n[record\ncommit = first\n", ":2: ']' is missing"},
        {"[record] # mine\n", ":1: nothing goes behind ']'"},
        {"[record]\ncommit = first # at once\n", ":2: '#' behind the value"},
        {"[record]\nnotice = read me ; twice\n", ":2: ';' behind the value"},
        {"[ship]\nto = # nowhere\n", ":2: '#' behind the value"},
        {"[record]\n  commit = batch\n  input = on\n  colour = red\n", ":4: unknown key colour"},
        {"[record]\ncolour = red\n[shp]\n", ":2: unknown key colour"},
        {"[record]\n= 5\n", ":2: neither"},
        {"[record]\ncommit = never\n", ":2: commit must be one of first|batch"},
        {"[record]\n\ncommit_ms = 0\n", ":3: commit_ms must be a number from 1 to 10000"},
        {"[record]\ncommit_ms = 10001\n", ":2: commit_ms"},
        {"[record]\ncommit_ms = 5x\n", ":2: commit_ms"},
        {"[record]\ncommit_ms =\n", ":2: commit_ms"},
        {"[record]\ncommit_ms = 99999999999999999999\n", ":2: commit_ms"},
        {"[record]\nwhat is this\n", ":2: neither"},
        {"[redact]\nmax_no_echo = 1048577\n", ":2: max_no_echo must be a number from 0 to"},
        {"[ship]\n\nto = ftp://x\n", ":3: to must be s3://BUCKET"},
        {"[ship]\nto = file://srv\n", ":2: to must be"},
        {"[ship]\nto = s3:///x\n", ":2: to must be"},
        {"[group]\nrecord = off\n", ":1: unknown section [group]"},
        {"[group a b]\nrecord = off\n", ":1: unknown section [group a b]"},
        {"[group abcdefghijklmnopqrstuvwxyz0123456]\n", ":1: unknown section"},
        {"[group x]\nrecord = maybe\n", ":2: record must be one of off|on"},
        {"[group x]\nmax_depth = 3\n", ":2: unknown key max_depth in [group x]"},
        {"[group x]\nto = /x\n", ":2: unknown key to in [group x]"},
        {"[record]\nways = login telnet\n", ":2: ways must be some of login command"},
        {"[record]\nshell = bash\n", ":2: shell must be the path of a shell"},
        {"[store]\nuser_sessions = 0\n", ":2: user_sessions must be a number from 1"},
        {"[status]\nbacklog_warn_s = 7201\n", "is 7201, more than backlog_crit_s, 7200"},
        {"[redact]\ntokens = on\nprompt_patterns = pin (\n",
         ":3: prompt_patterns: no regular expression"},
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

/* ${n} bytes of a line "notice = xxx". */
static void write_long(size_t n)
{
    char text[600] = "[record]\nnotice = ";
    size_t at = strlen(text), end = sizeof "[record]\n" - 1 + n;

    assert_true(end < sizeof text - 40);
    memset(text + at, 'x', end - at);
    (void)snprintf(text + end, sizeof text - end, "\ncommit = batch\n");
    write_file("ttytrail.conf", text);
}

static void no_line_is_cut(void **state)
{
    struct conf c;
    struct error err;

    (void)state;
    write_long(198);
    MUST(conf_open(&c, path, &err));
    assert_int_equal(strlen(c.notice), 198 - strlen("notice = "));
    assert_int_equal(c.commit, CONF_COMMIT_BATCH);
    conf_clear(&c);
    for (size_t n = 199; n < 500; n += 50) {
        write_long(n);
        REFUSES(conf_open(&c, path, &err), ERR_USAGE);
        assert_non_null(strstr(err.text, "ttytrail.conf:2: longer than 198 bytes"));
    }
    MUST(io_replace_file(-1, path, 0600, "[record]\nnotice = a\0b\n", 22, &err));
    REFUSES(conf_open(&c, path, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, ":2: a NUL"));
}

static void blanks_and_comments_do_not_matter(void **state)
{
    char text[700] = "\xef\xbb\xbf# ";
    struct conf c;
    struct error err;
    size_t n = strlen(text);

    (void)state;
    memset(text + n, '#', 400);
    (void)snprintf(text + n + 400, sizeof text - n - 400,
                   "\r\n [record] \r\n\n\t; both\n\tinput = off\n\tnotice =  a=b;c#d \r\n"
                   "  stream_kib=7");
    write_file("ttytrail.conf", text);
    MUST(conf_open(&c, path, &err));
    assert_int_equal(c.input, 0);
    assert_string_equal(c.notice, "a=b;c#d");
    assert_int_equal(c.stream_kib, 7);
    conf_clear(&c);
}

static void patterns_are_looked_at(void **state)
{
    static const struct {
        const char *pattern, *says; /* NULL: it is a pattern */
    } cases[] = {
        {"losung:", NULL},
        {"^ *(pin|puk)[0-9]{1,2}\\? *$", NULL},
        {"[[:alpha:]]{6}", NULL},
        {"([a-z]+ ?)+: +$", NULL},
        {"[]{9}(]", NULL}, /* a bracket, not a repeat and a group */
        {"a\\\\1", NULL},  /* a backslash and a digit */
        {"(a{100}){100}", NULL},
        {"(a{0}b{3,}c{,5}){9}", NULL},
        {"[", "no regular expression"},
        {"(a", "no regular expression"},
        {"a{2", "no regular expression"},
        {"a\\", "no regular expression"},
        {"(a*)\\1b", "\\1 to \\9"},
        {"((a{100}){100}){100}", "repeats too much"},
        {"(a{200}){200}", "repeats too much"},
        {"a{99999999999999999999}", "repeats too much"},
        {"((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))", "in one another"},
        {"a\\+*b\\{{2}[+*]+?x", "two repeats"},
        {"a\\+*b\\{{2}[+*]+x", NULL},
        {"pin+++++++ern", "two repeats"},
        {"a{2}*", "two repeats"},
        {"(((((((((a*)+)+)+)+)+)+)+)+)+", "repeats too much"},
        {"pin:x*+", "two repeats"},
        {"pin:|", "the empty text"},
        {"(pin)*", "the empty text"},
    };
    char text[300];
    struct conf c;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc;

        (void)snprintf(text, sizeof text, "[redact]\nprompt_patterns = %s\n", cases[i].pattern);
        write_file("ttytrail.conf", text);
        rc = conf_open(&c, path, &err);
        if (cases[i].says == NULL && rc == 0) {
            assert_string_equal(c.prompt_patterns, cases[i].pattern);
            conf_clear(&c);
        } else if (rc == 0 || cases[i].says == NULL || err.kind != ERR_USAGE ||
                   strstr(err.text, cases[i].says) == NULL ||
                   strstr(err.text, ":2: prompt_patterns: ") == NULL) {
            fail_msg("%s: %s", cases[i].pattern, rc == 0 ? "taken" : err.text);
        }
    }
}

/* ${n} lines of a pattern of ${len} bytes. */
static void write_patterns(unsigned n, int len)
{
    char text[4000] = "[redact]\n";

    for (unsigned i = 0; i < n; i++) {
        size_t at = strlen(text);

        (void)snprintf(text + at, sizeof text - at, "prompt_patterns = %0*u\n", len, i);
    }
    write_file("ttytrail.conf", text);
}

static void patterns_add_up(void **state)
{
    char sub[260];
    struct conf c;
    struct error err;

    (void)state;
    (void)snprintf(sub, sizeof sub, "%s/conf.d", dir);
    MUST(io_mkdirs(sub, 0700, &err));
    write_file("ttytrail.conf", "[redact]\nprompt_patterns = a(b|c)\nprompt_patterns = d\n");
    write_file("conf.d/10.conf", "[redact]\nprompt_patterns = e\n");
    MUST(conf_open(&c, path, &err));
    assert_string_equal(c.prompt_patterns, "a(b|c)|d|e");
    conf_clear(&c);
    write_file("conf.d/20.conf", "[redact]\nprompt_patterns =\nprompt_patterns = f\n");
    MUST(conf_open(&c, path, &err));
    assert_string_equal(c.prompt_patterns, "f");
    conf_clear(&c);
    write_file("conf.d/20.conf", "[redact]\nprompt_patterns = g(\nprompt_patterns = h)\n");
    REFUSES(conf_open(&c, path, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "20.conf:2: prompt_patterns: no regular expression"));
    write_file("conf.d/20.conf", "");
    write_patterns(8, 125); /* with what conf.d adds: 8 * 126 - 1 + 2 */
    MUST(conf_open(&c, path, &err));
    assert_int_equal(strlen(c.prompt_patterns), 1009);
    conf_clear(&c);
    write_patterns(9, 125);
    REFUSES(conf_open(&c, path, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, ":10: prompt_patterns: longer than 1023 bytes"));
}

static void a_path_may_be_short_or_wrong(void **state)
{
    char sub[260], before[4096];
    struct conf c;
    struct error err;

    (void)state;
    REFUSES(conf_open(&c, dir, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "is a directory"));
    (void)snprintf(sub, sizeof sub, "%s/conf.d", dir);
    MUST(io_mkdirs(sub, 0700, &err));
    write_file("ttytrail.conf", "[store]\nkeep_days = 1\n");
    write_file("conf.d/10.conf", "[store]\nkeep_days = 2\n");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(dir), 0);
    int rc = conf_open(&c, "ttytrail.conf", &err);
    assert_int_equal(chdir(before), 0);
    MUST(rc);
    assert_int_equal(c.keep_days, 2);
    conf_clear(&c);
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
        cmocka_unit_test_setup_teardown(groups_stand_over_the_host, setup, teardown),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test_setup_teardown(every_key_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_are_named_with_their_line, setup, teardown),
        cmocka_unit_test_setup_teardown(no_line_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(blanks_and_comments_do_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(patterns_are_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(patterns_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_path_may_be_short_or_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(conf_d_is_read_in_order, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
