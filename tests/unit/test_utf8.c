/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 against a slow reference that decodes by the book, over every short run and random long
 * ones; and JSON strings made of them. */
#include "tests/unit/check.h"

#include "common/json.h"
#include "common/utf8.h"

/* RFC 3629 by value: decode, then look whether encoding gives the same bytes. */
static int slow_length(const uint8_t *p, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = p[0] < 0x80             ? 1
                  : (p[0] & 0xe0) == 0xc0 ? 2
                  : (p[0] & 0xf0) == 0xe0 ? 3
                  : (p[0] & 0xf8) == 0xf0 ? 4
                                          : 0;
    uint32_t value = need == 1 ? p[0] : need == 0 ? 0 : p[0] & (0xffU >> (need + 1));

    if (need == 0) {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if (i >= len || (p[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (p[i] & 0x3f);
    }
    return value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)
               ? 0
               : (int)need;
}

/* -1: some longer run that begins like this is well formed. */
static int slow_judge(const uint8_t *p, size_t len)
{
    static const uint8_t fill[] = {0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf};
    uint8_t longer[4];
    int n = slow_length(p, len);

    if (n != 0 || len >= 4) {
        return n;
    }
    for (size_t a = 0; a < 36; a++) {
        memset(longer, fill[a % 6], 4);
        longer[3] = fill[a / 6];
        memcpy(longer, p, len);
        if (slow_length(longer, 4) > (int)len) {
            return -1;
        }
    }
    return 0;
}

static void lengths_are_those_of_the_book(void **state)
{
    static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
                                    0x9f, 0xa0, 0xbf, 0xc0, 0xff};

    (void)state;
    assert_int_equal(utf8_length((const uint8_t *)"", 0), -1);
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            for (size_t k = 0; k < 121; k++) {
                uint8_t p[4] = {(uint8_t)a, (uint8_t)b, edges[k % 11], edges[k / 11]};

                for (size_t len = 1; len <= 4; len++) {
                    if (utf8_length(p, len) != slow_judge(p, len)) {
                        fail_msg("%02x %02x %02x %02x, %zu", p[0], p[1], p[2], p[3], len);
                    }
                }
            }
        }
    }
}

static uint8_t some_byte(uint64_t *random)
{
    static const uint8_t liked[] = "\"\\\x7f\x1f\x20\x7e\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff";
    uint32_t n = check_random(random);

    return n % 3 == 0   ? liked[n / 3 % (sizeof liked - 1)]
           : n % 3 == 1 ? (uint8_t)('a' + n / 3 % 26)
                        : (uint8_t)(n / 3);
}

static void runs_are_those_of_the_slow_way(void **state)
{
    uint64_t random = 5;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = check_random(&random) % 40, plain = 0, tail = 0;
        uint8_t *p = malloc(len + 1), copy[64], *at = copy;

        assert_non_null(p);
        for (size_t i = 0; i < len; i++) {
            p[i] =
                round % 2 == 0 ? some_byte(&random) : (uint8_t)(' ' + check_random(&random) % 96);
        }
        while (plain < len && p[plain] >= 0x20 && p[plain] < 0x7f && p[plain] != '"' &&
               p[plain] != '\\') {
            plain++;
        }
        assert_int_equal(utf8_plain(p, len), plain);
        assert_int_equal(utf8_copy_plain(p, len, &at), plain);
        assert_int_equal(at - copy, plain);
        assert_memory_equal(copy, p, plain);
        for (size_t back = 1; back <= 3 && back <= len; back++) {
            if (slow_judge(p + len - back, back) == -1) {
                tail = back;
            }
        }
        assert_int_equal(utf8_partial_tail(p, len), tail);
        free(p);
    }
}

static void printable_means_harmless(void **state)
{
    static const struct {
        const char *text;
        size_t want;
    } cases[] = {{"a", 1},
                 {"\x1f", 0},
                 {"\x7f", 0},
                 {"\xc2\x80", 0},
                 {"\xc2\x9f", 0},
                 {"\xc2\xa0", 2},
                 {"\xe2\x80\x8d", 3},
                 {"\xe2\x80\x8e", 0},
                 {"\xe2\x80\xa8", 0},
                 {"\xe2\x80\xae", 0},
                 {"\xe2\x80\xaf", 3},
                 {"\xe2\x81\xa5", 3},
                 {"\xe2\x81\xa6", 0},
                 {"\xe2\x81\xa9", 0},
                 {"\xe2\x81\xaa", 3},
                 {"\xf0\x9f\x98\x80", 4},
                 {"\xe2\x82", 0},
                 {"\xff", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(utf8_printable((const uint8_t *)cases[i].text, strlen(cases[i].text)),
                         cases[i].want);
    }
}

/* ---- JSON ---- */

static void strings_are_escaped(void **state)
{
    static const struct {
        const char *in, *out;
        bool lossy;
    } cases[] = {
        {"", "", false},
        {"a\"b\\c/", "a\\\"b\\\\c/", false},
        {"\n\r\t\b\f\x1b\x7f", "\\n\\r\\t\\b\\f\\u001b\\u007f", false},
        {"caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80", false},
        {"\xff", "\xef\xbf\xbd", true},
        {"a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd", true},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", true},
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b;
        bool lossy = false;

        buf_init(&b, 1000);
        MUST(json_escape(&b, (const uint8_t *)cases[i].in, strlen(cases[i].in), &lossy, &err));
        assert_string_equal(buf_text(&b, &err), cases[i].out);
        assert_int_equal(lossy, cases[i].lossy);
        buf_reset(&b);
        MUST(json_string(&b, NULL, &err));
        assert_string_equal(buf_text(&b, &err), "null");
        buf_clear(&b);
    }
}

/* What was written, SQLite reads back the same. */
static void strings_come_back(void **state)
{
    uint64_t random = 9;
    struct json *j = NULL;
    struct buf doc, got, want;
    struct error err;

    (void)state;
    MUST(json_open(&j, &err));
    buf_init(&doc, 100000);
    buf_init(&got, 100000);
    buf_init(&want, 100000);
    for (int round = 0; round < 3000; round++) {
        size_t len = check_random(&random) % 100;
        uint8_t p[100];

        buf_reset(&doc);
        buf_reset(&got);
        buf_reset(&want);
        for (size_t i = 0; i < len; i++) {
            p[i] = some_byte(&random);
            p[i] = p[i] == 0 ? 1 : p[i];
        }
        for (size_t i = 0; i < len;) {
            int n = utf8_length(p + i, len - i);

            MUST(n > 0 ? buf_append(&want, p + i, (size_t)n, &err)
                       : buf_puts(&want, "\xef\xbf\xbd", &err));
            i += n > 0 ? (size_t)n : 1;
        }
        MUST(buf_puts(&doc, "{\"k\":[1,", &err));
        MUST(json_string_n(&doc, p, len, &err));
        MUST(buf_puts(&doc, "]}", &err));
        assert_int_equal(json_text(j, (const char *)buf_data(&doc), doc.len, "$.k[1]", &got, &err),
                         1);
        assert_int_equal(got.len, want.len);
        assert_memory_equal(buf_data(&got), buf_data(&want), want.len);
    }
    buf_clear(&doc);
    buf_clear(&got);
    buf_clear(&want);
    json_close(j);
}

struct walk {
    char text[200];
    int stop_at, n;
};

static int on_item(void *user, const struct json_item *item)
{
    struct walk *w = user;
    size_t at = strlen(w->text);

    (void)snprintf(w->text + at, sizeof w->text - at, "%s:%s=%.*s;", item->key, item->type,
                   (int)item->value_len, item->value);
    return ++w->n == w->stop_at ? 5 : 0;
}

static void documents_are_read(void **state)
{
    static const char doc[] = "{\"a\":{\"n\":-7,\"s\":\"x\",\"z\":null,\"t\":true,\"r\":1.5},"
                              "\"l\":[1,\"two\",{\"k\":[]}]}";
    static const char *const broken[] = {"", "{", "{\"a\":1", "nonsense", "{\"a\":1}}", "[1,]"};
    struct walk w = {.n = 0};
    struct json *j = NULL;
    struct buf b;
    struct error err;
    int64_t n = 0;

    (void)state;
    MUST(json_open(&j, &err));
    buf_init(&b, 1000);
    assert_int_equal(json_int(j, doc, strlen(doc), "$.a.n", &n, &err), 1);
    assert_int_equal(n, -7);
    assert_int_equal(json_int(j, doc, strlen(doc), "$.a.q", &n, &err), 0);
    assert_int_equal(json_int(j, doc, strlen(doc), "$.a.z", &n, &err), 0);
    REFUSES(json_int(j, doc, strlen(doc), "$.a.s", &n, &err), ERR_CORRUPT);
    REFUSES(json_int(j, doc, strlen(doc), "$.a.r", &n, &err), ERR_CORRUPT);
    assert_int_equal(json_text(j, doc, strlen(doc), "$.l[2]", &b, &err), 1);
    assert_string_equal(buf_text(&b, &err), "{\"k\":[]}");
    assert_int_equal(json_each(j, doc, strlen(doc), "$.a", on_item, &w, &err), 0);
    assert_string_equal(w.text, "n:integer=-7;s:text=x;z:null=;t:true=1;r:real=1.5;");
    w = (struct walk){.stop_at = 2};
    assert_int_equal(json_each(j, doc, strlen(doc), "$.l", on_item, &w, &err), 5);
    assert_string_equal(w.text, ":integer=1;:text=two;");
    w = (struct walk){.n = 0};
    assert_int_equal(json_each(j, doc, strlen(doc), "$.nothing", on_item, &w, &err), 0);
    assert_int_equal(json_each(j, doc, strlen(doc), "$.a.n", on_item, &w, &err), 0);
    assert_int_equal(w.n, 0);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        REFUSES(json_text(j, broken[i], strlen(broken[i]), "$.a", &b, &err), ERR_CORRUPT);
        REFUSES(json_int(j, broken[i], strlen(broken[i]), "$.a", &n, &err), ERR_CORRUPT);
        REFUSES(json_each(j, broken[i], strlen(broken[i]), "$", on_item, &w, &err), ERR_CORRUPT);
    }
    buf_clear(&b);
    json_close(j);
    json_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_those_of_the_book),
        cmocka_unit_test(runs_are_those_of_the_slow_way),
        cmocka_unit_test(printable_means_harmless),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(strings_come_back),
        cmocka_unit_test(documents_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
