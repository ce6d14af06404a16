/* SPDX-License-Identifier: Apache-2.0 */
/* The player's filter: what passes, what does not, and that neither depends on how bytes were cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/utf8.h"
#include "replay/sanitize.h"

#define OUT_MAX (8U * 1024 * 1024)

static const struct {
    const char *in, *out;
} cases[] = {
    /* what is drawn */
    {"plain text\r\n\ttab\b\a", "plain text\r\n\ttab\b\a"},
    {"caf\xc3\xa9 \xe2\x9c\x93 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x9c\x93 \xf0\x9f\x98\x80"},
    {"\x1b[1;38:2::1:2:3mred\x1b[m", "\x1b[1;38:2::1:2:3mred\x1b[m"},
    {"\x1b[2J\x1b[H\x1b[10;20Hx\x1b[K", "\x1b[2J\x1b[H\x1b[10;20Hx\x1b[K"},
    {"\x1b[?1049h\x1b[?25lx\x1b[?25h\x1b[?1049l", "\x1b[?1049h\x1b[?25lx\x1b[?25h\x1b[?1049l"},
    {"\x1b(0lqk\x1b(B\x1b)0\x0e\x0f", "\x1b(0lqk\x1b(B\x1b)0\x0e\x0f"},
    {"\x1b"
     "7\x1b"
     "8\x1b"
     "D\x1b"
     "E\x1b"
     "M\x1b"
     "H",
     "\x1b"
     "7\x1b"
     "8\x1b"
     "D\x1b"
     "E\x1b"
     "M\x1b"
     "H"},
    {"\x1b[2 q\x1b[!p\x1b#8\x1b[4h\x1b[3b", "\x1b[2 q\x1b[!p\x1b#8\x1b[4h\x1b[3b"},
    /* controls inside a sequence are carried out before it */
    {"\x1b[3\n1mx", "\n\x1b[31mx"},
    /* strings */
    {"a\x1b]0;title\x07z", "az"},
    {"a\x1b]52;c;aGk=\x1b\\z", "az"},
    {"a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\z", "alinkz"},
    {"a\x1bP+q544e\x1b\\z", "az"},
    {"a\x1bPtmux;\x1b\x1b]52;c;x\x07\x1b\\z", "az"},
    {"a\x1b_Gf=100;AAAA\x1b\\z", "az"},
    {"a\x1b^private\x1b\\z", "az"},
    {"a\x1bXstart of string\x1b\\z", "az"},
    {"a\x1b]0;never ended", "a"},
    {"a\x1b]0;abc\x18z", "az"},
    {"a\x1b]0;abc\x1az", "az"},
    {"a\x1b]0;abc\x1b[31mz", "a\x1b[31mz"},
    {"a\x1b]0;\xe2\x9c\x93\x07z", "az"},
    {"a\x1b]0;x\xc2\x9cshown\x07z", "ashown\az"},
    /* what a terminal answers */
    {"a\x1b[cz", "az"},
    {"a\x1b[>c\x1b[=c\x1b[0cz", "az"},
    {"a\x1b[5n\x1b[6n\x1b[?6nz", "az"},
    {"a\x1b[18t\x1b[8;50;100t\x1b[22;0tz", "az"},
    {"a\x1b[?2004$p\x1b[4$pz", "az"},
    {"a\x1b[>q\x1b[x\x1b[1xz", "az"},
    {"a\x05\x1bZz", "az"},
    {"a\x1b[1;1;1;1;1;1*yz", "az"},
    {"a\x1b[?u\x1b[>1u\x1b[<u\x1b[=1uz", "az"},
    {"a\x1b[?1;1;0Sz", "az"},
    /* what changes the viewer's terminal beyond its picture */
    {"a\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1h\x1b[?1004h\x1b[?2026hz", "az"},
    {"a\x1b[?1000;25;2004;7hz", "a\x1b[?25h\x1b[?7hz"},
    {"a\x1b[2h\x1b[20h\x1b[?3h\x1b[?2lz", "az"},
    {"a\x1b[3J\x1b[>4;2m\x1b[iz\x1b[4i", "az"},
    {"a\x1b=\x1b>\x1b%@\x1b%G\x1b F\x1b Gz", "az"},
    {"a\x1b|\x1bn\x1boz", "az"},
    {"a\x1b[1;2;3;4;5Tz\x1b[3T", "az\x1b[3T"},
    {"a\x1b"
     "cz",
     "a\x1b[!p\x1b[H\x1b[2Jz"},
    {"\x1b[?1049h\x1b"
     "cz",
     "\x1b[?1049h\x1b[?1049l\x1b[!p\x1b[H\x1b[2Jz"},
    /* C0, C1, bytes that are no characters */
    {"a\x01\x02\x11\x13\x7fz", "az"},
    {"a\xc2\x9b"
     "31mz",
     "a31mz"},
    {"a\xc2\x90q\xc2\x9cz", "aqz"},
    {"a\x9bz", "a\xef\xbf\xbdz"},
    {"a\xc3z", "a\xef\xbf\xbdz"},
    {"a\xe2\x9cz", "a\xef\xbf\xbd\xef\xbf\xbdz"},
    {"a\xc3\x1b[31mz", "a\xef\xbf\xbd\x1b[31mz"},
    {"a\xf5\xc0\x80z", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},
    {"a\x1b[31\xc3\xa9z", "a\xc3\xa9z"},
    /* malformed sequences */
    {"a\x1b[31;\x1b[32mz", "a\x1b[32mz"},
    {"a\x1b\x1b\x1b[32mz", "a\x1b[32mz"},
    {"a\x1b[3?1mz", "az"},
    {"a\x1b[99999999bz", "az"},
    {"a\x1b[", "a"},
    {"a\x1b", "a"},
};

static void expect(const char *in, const char *want, size_t cut, size_t piece)
{
    struct sanitize s;
    struct buf out;
    struct error err;
    size_t len = strlen(in), at = 0;

    buf_init(&out, OUT_MAX);
    sanitize_init(&s);
    while (at < len) {
        size_t n = piece > 0 ? piece : at == 0 && cut > 0 ? cut : len - at;

        n = n < len - at ? n : len - at;
        assert_int_equal(sanitize_feed(&s, (const uint8_t *)in + at, n, &out, &err), 0);
        at += n;
    }
    if (out.len != strlen(want) || (out.len > 0 && memcmp(buf_data(&out), want, out.len) != 0)) {
        fail_msg("case '%s' cut at %zu, pieces of %zu: got '%.*s'", in, cut, piece, (int)out.len,
                 (const char *)buf_data(&out));
    }
    buf_clear(&out);
}

static void shows_and_drops_what_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect(cases[i].in, cases[i].out, 0, 0);
    }
}

static void does_not_care_where_bytes_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t cut = 1; cut < strlen(cases[i].in); cut++) {
            expect(cases[i].in, cases[i].out, cut, 0);
        }
        for (size_t piece = 1; piece < 4; piece++) {
            expect(cases[i].in, cases[i].out, 0, piece);
        }
    }
}

static void gives_up_an_endless_string_and_shows_the_rest(void **state)
{
    struct sanitize s;
    struct buf out;
    struct error err;
    char block[1024];

    (void)state;
    memset(block, 'x', sizeof block);
    buf_init(&out, OUT_MAX);
    sanitize_init(&s);
    assert_int_equal(sanitize_feed(&s, (const uint8_t *)"\x1b]52;c;", 7, &out, &err), 0);
    for (unsigned i = 0; i < SANITIZE_MAX_STRING / sizeof block + 1; i++) {
        assert_int_equal(sanitize_feed(&s, (const uint8_t *)block, sizeof block, &out, &err), 0);
    }
    assert_true(out.len > 0 && out.len <= sizeof block + 7);
    assert_int_equal(s.state, SANITIZE_GROUND);
    buf_clear(&out);
}

static void drops_an_endless_control_sequence_whole(void **state)
{
    struct sanitize s;
    struct buf out;
    struct error err;

    (void)state;
    buf_init(&out, OUT_MAX);
    sanitize_init(&s);
    assert_int_equal(sanitize_feed(&s, (const uint8_t *)"\x1b[", 2, &out, &err), 0);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(sanitize_feed(&s, (const uint8_t *)"1;", 2, &out, &err), 0);
    }
    assert_int_equal(sanitize_feed(&s, (const uint8_t *)"mz", 2, &out, &err), 0);
    assert_int_equal(out.len, 1);
    assert_int_equal(buf_data(&out)[0], 'z');
    buf_clear(&out);
}

/* Every final byte behind every prefix and intermediate: the output is characters and known
 * sequences. */
static void never_lets_a_raw_control_through(void **state)
{
    static const char prefixes[] = {0, '?', '>', '=', '<'},
                      between[] = {0, ' ', '!', '"', '$', '\''};
    struct buf out;
    struct error err;

    (void)state;
    buf_init(&out, OUT_MAX);
    for (size_t p = 0; p < sizeof prefixes; p++) {
        for (size_t b = 0; b < sizeof between; b++) {
            for (int final = 0x40; final < 0x7f; final++) {
                uint8_t in[8];
                size_t n = 0;
                struct sanitize s;

                in[n++] = 0x1b;
                in[n++] = '[';
                if (prefixes[p] != 0) {
                    in[n++] = (uint8_t)prefixes[p];
                }
                in[n++] = '6';
                if (between[b] != 0) {
                    in[n++] = (uint8_t)between[b];
                }
                in[n++] = (uint8_t) final;
                buf_reset(&out);
                sanitize_init(&s);
                assert_int_equal(sanitize_feed(&s, in, n, &out, &err), 0);
                assert_int_equal(s.state, SANITIZE_GROUND);
                /* of answering finals nothing is left, whatever stands before them */
                if (strchr("cntxyiwz{|pR", final) != NULL) {
                    assert_int_equal(out.len, 0);
                }
            }
        }
    }
    buf_clear(&out);
}

static void remembers_what_must_be_undone(void **state)
{
    struct sanitize s;
    struct buf out;
    struct error err;
    static const char on[] = "\x1b[?1047h\x1b[2;5r\x1b[4 q", off[] = "\x1b[?1047l";

    (void)state;
    buf_init(&out, OUT_MAX);
    sanitize_init(&s);
    assert_false(s.region);
    assert_int_equal(sanitize_feed(&s, (const uint8_t *)on, sizeof on - 1, &out, &err), 0);
    assert_int_equal(s.alternate, 1047);
    assert_true(s.region);
    assert_true(s.cursor_style);
    assert_int_equal(sanitize_feed(&s, (const uint8_t *)off, sizeof off - 1, &out, &err), 0);
    assert_int_equal(s.alternate, 0);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_and_drops_what_it_should),
        cmocka_unit_test(does_not_care_where_bytes_are_cut),
        cmocka_unit_test(gives_up_an_endless_string_and_shows_the_rest),
        cmocka_unit_test(drops_an_endless_control_sequence_whole),
        cmocka_unit_test(never_lets_a_raw_control_through),
        cmocka_unit_test(remembers_what_must_be_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
