/* SPDX-License-Identifier: Apache-2.0 */
/* Log files of a directory into trail.db: what is kept, what is wrong with some, what is read
 * again; names as CloudTrail gives them; a bucket played by a list of names. */
#include "tests/unit/check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/io.h"
#include "tests/unit/tempdir.h"
#include "trail/layout.h"
#include "trail/source.h"
#include "trail/unpack.h"

struct rig {
    char dir[256], path[300];
    struct trail_store *t;
    struct depot *depot;
    char warned[4096];
};

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    struct error err;

    *state = r;
    if (r == NULL || tempdir_make(r->dir, sizeof r->dir) != 0) {
        return -1;
    }
    (void)snprintf(r->path, sizeof r->path, "%s.trail.db", r->dir);
    return depot_file_open(&r->depot, r->dir, &err) != 0 ||
                   trail_store_open(&r->t, r->path, &err) != 0
               ? -1
               : 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;

    trail_store_close(r->t);
    depot_close(r->depot);
    (void)unlink(r->path);
    (void)tempdir_drop(r->dir);
    free(r);
    return 0;
}

#define DAY     "AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/2026/03/04/"
#define LOG(hm) DAY "111122223333_CloudTrail_eu-west-1_20260304T" hm "Z_abcdefgh.json"
#define START(id, who)                                                                             \
    "{\"eventID\":\"" id                                                                           \
    "\",\"eventSource\":\"ssm.amazonaws.com\",\"eventName\":\"StartSession\","                     \
    "\"eventTime\":\"2026-03-04T05:06:07Z\",\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":"  \
    "\"" who                                                                                       \
    "\"},\"requestParameters\":{\"target\":\"i-0123456789abcdef0\"},\"responseElements\":{"        \
    "\"sessionId\":\"s-" id "\"}}"
#define CALL(id, more)                                                                             \
    "{\"eventID\":\"" id                                                                           \
    "\",\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"DescribeImages\","                   \
    "\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":\"x\"}," more "}"

static void put(const struct rig *r, const char *name, const void *bytes, size_t len)
{
    char path[1024];
    struct error err;

    (void)snprintf(path, sizeof path, "%s/%s", r->dir, name);
    *strrchr(path, '/') = '\0';
    MUST(io_mkdirs(path, 0700, &err));
    path[strlen(path)] = '/';
    MUST(io_replace_file(AT_FDCWD, path, 0600, bytes, len, &err));
}

static void put_text(const struct rig *r, const char *name, const char *text)
{
    put(r, name, text, strlen(text));
}

static size_t pack(const void *bytes, size_t len, unsigned char *ret, size_t size)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes,
                  .avail_in = (uInt)len,
                  .next_out = ret,
                  .avail_out = (uInt)size};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size = z.total_out;
    (void)deflateEnd(&z);
    return size;
}

static void put_packed(const struct rig *r, const char *name, const char *text)
{
    unsigned char packed[4096];

    put(r, name, packed, pack(text, strlen(text), packed, sizeof packed));
}

static void warn(void *user, const char *line)
{
    struct rig *r = user;
    size_t n = strlen(r->warned);

    assert_null(strchr(line, '\n'));
    (void)snprintf(r->warned + n, sizeof r->warned - n, "%s\n", line);
}

static const char *const hosts[] = {"i-0123456789abcdef0", "10.0.0.9"};

static struct trail_read_stats read_trail(struct rig *r, struct trail_source s)
{
    struct trail_read_stats stats;
    struct error err;

    s.depot = s.depot == NULL ? r->depot : s.depot;
    s.hosts = hosts;
    s.n_hosts = 2;
    s.warn = warn;
    s.user = r;
    r->warned[0] = '\0';
    MUST(trail_read(&s, r->t, &stats, &err));
    return stats;
}

static int add_id(void *user, const struct trail_stored *e)
{
    char *text = user;
    size_t n = strlen(text);

    (void)snprintf(text + n, 256 - n, "%s%s", n == 0 ? "" : " ", e->event.id);
    return 0;
}

static const char *kept(struct rig *r)
{
    static char text[256];
    struct error err;

    text[0] = '\0';
    MUST(trail_store_events(r->t, &(struct trail_query){0}, add_id, text, &err));
    return text;
}

static void what_matters_is_kept(void **state)
{
    struct rig *r = *state;
    struct trail_read_stats s;

    put_packed(
        r, LOG("0500") ".gz",
        "{\"Records\":[" START("e1", "alice") "," CALL(
            "e2",
            "\"sourceIPAddress\":\"10.0.0."
            "91\"") "," CALL("e3", "\"sourceIPAddress\":\"10.0.0.9\"") "," CALL("e4",
                                                                                "\"requestParameter"
                                                                                "s\":{\"x\":\"i-"
                                                                                "0123456789abcdef0"
                                                                                "\"}") "]}");
    put_text(r, "lines.json", START("e5", "bob") "\n" START("e6", "carol") "\n");
    put_packed(r, LOG("0505") ".gz", "{\"Records\":[" START("e1", "alice") "]}");
    put_text(r, "AWSLogs/o-1/1/CloudTrail-Digest/x.json", "{\"a\":1}");
    put_text(r, "readme.txt", "hello");
    s = read_trail(r, (struct trail_source){0});
    assert_string_equal(r->warned, "");
    assert_int_equal(s.read, 3);
    assert_int_equal(s.records, 7);
    assert_int_equal(s.kept, 5);
    assert_int_equal(s.known_events, 1);
    assert_string_equal(kept(r), "e3 e4 e1 e5 e6"); /* calls here have no time */
    s = read_trail(r, (struct trail_source){0});
    assert_int_equal(s.read, 0);
    assert_int_equal(s.known_files, 3);
}

static void files_that_are_none_stop_nothing(void **state)
{
    static const char good[] = "{\"Records\":[" START("e9", "bob") "]}";
    struct rig *r = *state;
    struct trail_read_stats s;
    unsigned char packed[1024];
    size_t n = pack(good, sizeof good - 1, packed, sizeof packed);

    put(r, LOG("0501") ".gz", packed, n - 9);
    put_text(r, LOG("0502") ".gz", "<Error>");
    put_text(r, LOG("0503") ".gz", "");
    put_packed(r, LOG("0504") ".gz", "{\"Records\":[" START("e7", "x") ",{\"a\"");
    put_packed(r, LOG("0505") ".gz", "{\"Records\":[{\"eventName\":\"StartSession\",},{}]}");
    put(r, LOG("0506") ".gz", packed, n);
    s = read_trail(r, (struct trail_source){0});
    assert_int_equal(s.failed, 4);
    assert_int_equal(s.bad_records, 1);
    assert_int_equal(s.read, 2);
    for (const char *want = "12345"; *want != '\0'; want++) {
        char name[256];
        const char *at;

        (void)snprintf(name, sizeof name, "T050%cZ", *want);
        at = strstr(r->warned, name);
        assert_non_null(at);
        assert_null(strstr(at + 1, name)); /* one line each */
    }
    put(r, LOG("0501") ".gz", packed, n); /* mended: tried again */
    s = read_trail(r, (struct trail_source){0});
    assert_int_equal(s.failed, 3);
    assert_int_equal(s.read, 1);
}

static void accounts_regions_and_days_are_chosen(void **state)
{
    struct rig *r = *state;

    put_text(r, LOG("0500"), "{\"Records\":[" START("e1", "a") "]}");
    put_text(r,
             "p/AWSLogs/4444/CloudTrail/us-east-1/2026/03/04/"
             "4444_CloudTrail_us-east-1_20260304T0500Z_a.json",
             "{\"Records\":[" START("e2", "a") "]}");
    assert_int_equal(read_trail(r, (struct trail_source){.accounts = "1, 2"}).read, 0);
    assert_int_equal(read_trail(r, (struct trail_source){.regions = "us-east-2"}).read, 0);
    assert_int_equal(
        read_trail(r, (struct trail_source){.from_us = INT64_C(1772604000000000)}).read, 0);
    assert_int_equal(read_trail(r, (struct trail_source){.accounts = "1,4444"}).read, 1);
    assert_string_equal(kept(r), "e2");
    assert_int_equal(read_trail(r, (struct trail_source){.accounts = "all", .regions = ""}).read,
                     1);
}

/* A bucket of names alone: every file says the same.  What was asked for is counted. */
struct bucket {
    struct depot head;
    const char **names; /* sorted */
    size_t n;
    unsigned lists, gets;
    char after[1100];
};

static int bucket_list(struct depot *s, const char *prefix, const char *after, depot_list_fn *cb,
                       void *user, struct error *err)
{
    struct bucket *b = (struct bucket *)s;
    int rc = 0;

    (void)err;
    b->lists++;
    (void)snprintf(b->after, sizeof b->after, "%s", after);
    for (size_t i = 0; rc == 0 && i < b->n; i++) {
        struct depot_item item = {.name = b->names[i], .version = "", .size = 14};

        if (strncmp(b->names[i], prefix, strlen(prefix)) == 0 && strcmp(b->names[i], after) > 0) {
            rc = cb(user, &item);
        }
    }
    return rc;
}

static int bucket_get(struct depot *s, const char *name, const char *version, size_t max,
                      struct buf *ret, struct error *err)
{
    (void)name;
    (void)version;
    (void)max;
    ((struct bucket *)s)->gets++;
    return buf_puts(ret, "{\"Records\":[]}", err);
}

#define AT(account, region, day, hm)                                                               \
    "AWSLogs/" account "/CloudTrail/" region "/2026/03/" day "/" account "_CloudTrail_" region     \
    "_202603" day "T" hm "Z_x.json.gz"

static void a_bucket_is_asked_place_by_place(void **state)
{
    static const char *names[] = {
        "AWSLogs/111/CloudTrail-Digest/eu/2026/03/04/111_CloudTrail-Digest_eu_t_eu_1.json.gz",
        "AWSLogs/111/CloudTrail-Insight/eu/2026/03/04/x.json.gz",
        AT("111", "eu", "03", "2350"),
        AT("111", "eu", "04", "0010"),
        AT("111", "eu", "04", "0020"),
        AT("111", "eu-2", "04", "0020"),
        "AWSLogs/111/Config/eu/2026/3/4/x.json.gz",
        AT("222", "eu", "04", "0020"),
        "other/a.json.gz",
        "other/b.json.gz",
        "readme",
    };
    static const struct depot_type type = {
        .scheme = "names", .list_after = bucket_list, .get = bucket_get};
    struct bucket b = {.head = {&type}, .names = names, .n = sizeof names / sizeof *names};
    struct rig *r = *state;
    struct trail_read_stats s;

    s = read_trail(r, (struct trail_source){.depot = &b.head, .regions = "eu"});
    assert_int_equal(s.places, 2);
    assert_int_equal(s.read, 4);
    assert_true(b.lists < 14);
    /* Again: from 20 minutes before the last name on, across midnight where need be. */
    names[4] = AT("111", "eu", "04", "0021");
    b.gets = b.lists = 0;
    s = read_trail(r, (struct trail_source){.depot = &b.head, .accounts = "111", .regions = "eu"});
    assert_int_equal(b.gets, 1);
    assert_int_equal(s.listed, 2);
}

static void names_are_understood(void **state)
{
    struct layout_place p;
    char text[256];
    int64_t us;
    struct error err;

    (void)state;
    assert_true(layout_of(LOG("0546") ".gz", &p, &us));
    assert_string_equal(p.top, "AWSLogs/o-1/");
    assert_string_equal(p.account, "111122223333");
    assert_string_equal(p.region, "eu-west-1");
    assert_int_equal(us, INT64_C(1772603160000000));
    MUST(layout_start(&p, us - TRAIL_REREAD_US, text, sizeof text, &err));
    assert_string_equal(text, DAY "111122223333_CloudTrail_eu-west-1_20260304T0526");
    MUST(layout_prefix(&p, text, sizeof text, &err));
    assert_string_equal(text, "AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/");
    assert_false(layout_of("AWSLogs/1/CloudTrail-Digest/eu/x.json.gz", &p, &us));
    layout_skip("AWSLogs/o-1/1/Config/eu/x.json.gz", text, sizeof text);
    assert_string_equal(text, "AWSLogs/o-1/1/Config0");
    layout_skip("x/y/z", text, sizeof text);
    assert_string_equal(text, "x0");
    layout_skip("x", text, sizeof text);
    assert_string_equal(text, "x");
    assert_true(layout_in("a, bb", "bb"));
    assert_false(layout_in("a, bb", "b"));
}

static int add_up(void *user, const void *bytes, size_t len, struct error *err)
{
    (void)bytes;
    (void)err;
    *(uint64_t *)user += len;
    return 0;
}

static void large_files_and_many_members_come_whole(void **state)
{
    static unsigned char text[10U << 20], packed[11U << 20];
    struct unpack *u = NULL;
    struct error err;
    uint8_t one[32], two[32];
    uint64_t sum = 0, bytes, random = 5;
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (unsigned char)(' ' + check_random(&random) % 64);
    }
    n = pack(text, sizeof text / 2, packed, sizeof packed);
    n += pack(text + sizeof text / 2, sizeof text / 2, packed + n, sizeof packed - n);
    MUST(unpack_open(&u, &err));
    unpack_begin(u, add_up, &sum);
    MUST(unpack_whole(u, packed, n, &err));
    MUST(unpack_end(u, &bytes, one, &err));
    assert_int_equal(sum, sizeof text);
    sum = 0;
    unpack_begin(u, add_up, &sum);
    for (size_t at = 0; at < n; at += 70001) {
        MUST(unpack_feed(u, packed + at, n - at < 70001 ? n - at : 70001, &err));
    }
    MUST(unpack_end(u, &bytes, two, &err));
    assert_int_equal(bytes, sizeof text);
    assert_int_equal(sum, sizeof text);
    assert_memory_equal(one, two, 32);
    packed[n - 5] ^= 1U; /* its checksum */
    unpack_begin(u, add_up, &sum);
    REFUSES(unpack_whole(u, packed, n, &err), ERR_CORRUPT);
    unpack_close(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_matters_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(files_that_are_none_stop_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(accounts_regions_and_days_are_chosen, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bucket_is_asked_place_by_place, setup, teardown),
        cmocka_unit_test(names_are_understood),
        cmocka_unit_test(large_files_and_many_members_come_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
