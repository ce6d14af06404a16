/* SPDX-License-Identifier: Apache-2.0 */
/* What stands on the screen after some bytes, and what was told of it. */
#include "check.h"
#include "screen/screen.h"
#include "screen/text.h"

#define ROWS 5
#define COLS 10

struct told {
    char text[512];
};

static void on_event(void *user, const struct screen_event *e)
{
    static const char *const names[] = {"", "nl", "jump", "alt", "paste", "bell"};
    struct told *t = user;
    size_t n = strlen(t->text);

    if (e->kind == SCREEN_PRINT) {
        (void)snprintf(t->text + n, sizeof t->text - n, "%s%x@%d,%d", n > 0 ? " " : "",
                       (unsigned)e->ch, (int)e->absrow, e->col);
    } else {
        (void)snprintf(t->text + n, sizeof t->text - n, "%s%s%s", n > 0 ? " " : "", names[e->kind],
                       e->kind != SCREEN_ALT && e->kind != SCREEN_PASTE ? ""
                       : e->on                                          ? "+"
                                                                        : "-");
    }
}

static struct screen *fresh(struct told *t)
{
    struct screen_config config = {
        .rows = ROWS, .cols = COLS, .on_event = t != NULL ? on_event : NULL, .user = t};
    struct screen *s;
    struct error err;

    if (t != NULL) {
        t->text[0] = '\0';
    }
    MUST(screen_new(&s, &config, &err));
    return s;
}

static void feed(struct screen *s, const char *bytes)
{
    screen_feed(s, (const uint8_t *)bytes, strlen(bytes));
}

/* The rows, joined by '|', empty ones at the end left out. */
static void shown(const struct screen *s, char *ret, size_t size)
{
    struct buf out;
    struct error err;
    size_t end = 0;

    buf_init(&out, 65536);
    for (int row = 0; row < screen_rows(s); row++) {
        size_t before = out.len;

        MUST(screen_text(s, row, &out, &err));
        end = out.len > before ? out.len : end;
        MUST(buf_putc(&out, '|', &err));
    }
    assert_true(end < size);
    memcpy(ret, buf_data(&out), end);
    ret[end] = '\0';
    buf_clear(&out);
}

static const struct {
    const char *what, *in, *screen;
    int row, col;
} table[] = {
    {"lines", "one\r\ntwo", "one|two", 1, 3},
    {"a wrap", "0123456789ab", "0123456789|ab", 1, 2},
    {"no wrap before the next character", "0123456789", "0123456789", 0, 9},
    {"scrolling", "1\r\n2\r\n3\r\n4\r\n5\r\n6", "2|3|4|5|6", 4, 1},
    {"cursor and erasure", "abcdef\033[3G\033[K\033[2;2Hx", "ab| x", 1, 2},
    {"erase with a blank", "abc\b \b", "ab", 0, 2},
    {"insert and delete characters", "abcdef\033[2G\033[2@\033[5G\033[P", "a  bdef", 0, 4},
    {"insert and delete lines", "a\r\nb\r\nc\033[2;1H\033[L\033[4;1H\033[M", "a||b", 3, 0},
    {"a scroll region", "a\r\nb\r\nc\r\nd\r\ne\033[2;4r\033[4;1H\r\nX", "a|c|d|X|e", 3, 1},
    {"reverse index", "a\r\nb\033[1;1H\033Mtop", "top|a|b", 0, 3},
    {"wide characters", "\346\227\245\346\234\254x", "\346\227\245\346\234\254x", 0, 5},
    {"half a wide character overwritten", "\346\227\245\346\234\254\033[2GX", " X\346\234\254", 0,
     2},
    {"a wide one at the edge wraps", "012345678\346\227\245", "012345678|\346\227\245", 1, 2},
    {"combining characters", "e\314\201x", "e\314\201x", 0, 2},
    {"tabs", "a\tb", "a       b", 0, 9},
    {"REP", "ab\033[3bc", "abbbbc", 0, 6},
    {"REP ends with the row", "ab\033[1000000000bc", "abbbbbbbbb|c", 1, 1},
    {"REP of nothing", "\033[1000000000bc", "c", 0, 1},
    {"the alternate screen", "main\033[?1049h\033[2;2Halt\033[?1049l!", "main!", 0, 5},
    {"autowrap off", "\033[?7l0123456789ab", "012345678b", 0, 9},
    {"origin mode", "\033[2;4r\033[?6h\033[1;1Hx\033[?6l", "|x", 0, 0},
    {"line drawing", "\033(0lqk\033(B.", "\342\224\214\342\224\200\342\224\220.", 0, 4},
    {"control strings", "a\033]0;title\007b\033Pdcs\033\\c\033_apc\033\\d\033^pm\033\\e", "abcde",
     0, 5},
    {"what libvterm cannot answer", "a\033P$q\"p\033\\\033[c\033[6n\033[>0qb", "ab", 0, 2},
    {"invalid UTF-8", "a\377b\303(c", "a\357\277\275b\357\277\275(c", 0, 6},
    {"a full reset", "abc\033[?2004h\033cx", "x", 0, 1},
};

static void test_what_stands_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct screen *s = fresh(NULL);
        char text[512];
        int row, col;

        feed(s, table[i].in);
        shown(s, text, sizeof text);
        screen_cursor(s, &row, &col);
        if (strcmp(text, table[i].screen) != 0 || row != table[i].row || col != table[i].col) {
            print_error("%s: cursor %d,%d\n", table[i].what, row, col);
        }
        assert_string_equal(text, table[i].screen);
        assert_int_equal(row, table[i].row);
        assert_int_equal(col, table[i].col);
        screen_free(s);
    }
}

static void test_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t len = strlen(table[i].in);
        struct told whole, cut;
        struct screen *a = fresh(&whole);
        char text[512];

        feed(a, table[i].in);
        for (size_t at = 0; at <= len; at++) {
            struct screen *b = fresh(&cut);

            screen_feed(b, (const uint8_t *)table[i].in, at);
            screen_feed(b, (const uint8_t *)table[i].in + at, len - at);
            shown(b, text, sizeof text);
            assert_string_equal(text, table[i].screen);
            assert_string_equal(cut.text, whole.text);
            screen_free(b);
        }
        screen_free(a);
    }
}

static void test_events(void **state)
{
    static const struct {
        const char *in, *told;
    } events[] = {
        {"ab", "61@0,0 62@0,1"},
        {"a\r\nb", "61@0,0 nl 62@1,0"},
        {"\033[3;4Hx", "jump 78@2,3"},
        {"0123456789a", "30@0,0 31@0,1 32@0,2 33@0,3 34@0,4 35@0,5 36@0,6 37@0,7 38@0,8 39@0,9 nl "
                        "61@1,0"},
        {"\n\n\n\n\nx", "nl nl nl nl nl 78@5,0"},
        {"\033[?2004h$\033[?2004l", "paste+ 24@0,0 paste-"},
        {"\033[?25;2004h\033[?2004h", "paste+"},
        {"\033[?1049hx\033[?1049l", "alt+ 78@0,0 alt-"},
        {"e\314\201\a", "65@0,0 301@0,0 bell"},
        {"\033[?2004h\033c", "paste+ paste-"},
        {"\033[2;4h2004h", "32@0,0 30@0,1 30@0,2 34@0,3 68@0,4"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct told t;
        struct screen *s = fresh(&t);

        feed(s, events[i].in);
        assert_string_equal(t.text, events[i].told);
        screen_free(s);
    }
}

static struct screen *leaving;
static char left[200];

static void on_leave(void *user, int row)
{
    struct buf text;

    (void)user;
    buf_init(&text, 200);
    assert_int_equal(screen_text(leaving, row, &text, NULL), 0);
    (void)snprintf(left + strlen(left), sizeof left - strlen(left), "%s/", buf_text(&text, NULL));
    buf_clear(&text);
}

static void test_lines_that_leave_are_told(void **state)
{
    const struct screen_config c = {.rows = 3, .cols = 10, .on_leave = on_leave};
    static const struct {
        const char *bytes, *left;
    } rows[] = {
        {"1\r\n2\r\n3", ""},
        {"\r\n4\r\n5", "1/2/"},
        {"\033[2S", "3/4/"},
        {"\033[2J", "5/"},
        {"\033[Ha\033[Jb", ""}, /* not from the first cell */
        {"\033[H\033[J", "ab/"},
        {"\033[Hc\033[H\033[K", ""},
        {"\033[?1049hx\r\ny\r\nz\r\n\033[2J\033[?1049l", ""},
        {"\033[2;3r\033[3;1Hm\n\n\033[r", ""}, /* a region that does not begin at the top */
    };

    struct error err;

    (void)state;
    MUST(screen_new(&leaving, &c, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        left[0] = '\0';
        feed(leaving, rows[i].bytes);
        assert_string_equal(left, rows[i].left);
    }
    feed(leaving, "\033[H\033[Jone\r\ntwo\r\nthree");
    left[0] = '\0';
    MUST(screen_resize(leaving, 2, 10, &err));
    assert_string_equal(left, "one/");
    screen_free(leaving);
}

static void test_resize_keeps_the_cursors_row(void **state)
{
    struct screen *s = fresh(NULL);
    struct error err;
    char text[512];
    int row, col;

    (void)state;
    feed(s, "1\r\n2\r\n3\r\n4\r\nprompt");
    MUST(screen_resize(s, 3, 4, &err));
    shown(s, text, sizeof text);
    assert_string_equal(text, "3|4|prom");
    screen_cursor(s, &row, &col);
    assert_int_equal(row, 2);
    assert_true(col <= 3);
    assert_int_equal(screen_scrolled(s), 2);
    MUST(screen_resize(s, 4, 12, &err));
    feed(s, "\033[3;5Hpt");
    shown(s, text, sizeof text);
    assert_string_equal(text, "3|4|prompt");
    MUST(screen_resize(s, 100000, 100000, &err));
    assert_int_equal(screen_rows(s), SCREEN_MAX_ROWS);
    assert_int_equal(screen_cols(s), SCREEN_MAX_COLS);
    MUST(screen_resize(s, 0, -1, &err));
    assert_int_equal(screen_rows(s), 1);
    screen_free(s);
}

static void test_pens(void **state)
{
    struct screen *s = fresh(NULL);
    const struct screen_cell *c;

    (void)state;
    feed(s, "\033[1;4;31ma\033[0;48;2;1;2;3mb\033[0;38;5;200;7mc\033[44m\033[K");
    c = screen_row(s, 0);
    assert_int_equal(c[0].attrs, SCREEN_BOLD | SCREEN_UNDERLINE);
    assert_int_equal(c[0].fg, SCREEN_INDEXED | 1);
    assert_int_equal(c[1].bg, SCREEN_RGB | 0x010203);
    assert_int_equal(c[1].attrs, 0);
    assert_int_equal(c[2].fg, SCREEN_INDEXED | 200);
    assert_int_equal(c[2].attrs, SCREEN_REVERSE);
    assert_int_equal(c[3].bg, SCREEN_INDEXED | 4);
    assert_int_equal(c[3].ch, 0);
    screen_free(s);
}

/* ---- memory ---- */

struct allowance {
    size_t calls, left, live;
};

static void *some(size_t size, void *user)
{
    struct allowance *a = user;

    a->calls++;
    if (a->left == 0) {
        return NULL;
    }
    a->left--;
    a->live++;
    return calloc(1, size);
}

static void back(void *memory, void *user)
{
    struct allowance *a = user;

    a->live -= memory != NULL;
    free(memory);
}

static void test_all_memory_is_the_owners(void **state)
{
    struct allowance a = {.left = 100000};
    struct screen_config config = {
        .rows = 24, .cols = 80, .alloc = some, .free = back, .alloc_user = &a};
    struct screen *s;
    struct error err;

    (void)state;
    MUST(screen_new(&s, &config, &err));
    for (int i = 0; i < 10000; i++) {
        feed(s, "e\314\201\314\202 \033]0;a title\007\r\n");
    }
    MUST(screen_resize(s, 50, 200, &err));
    assert_true(a.live > 0 && a.live < 64);
    /* Not enough for a resize: nothing changes. */
    a.left = 0;
    REFUSES(screen_resize(s, 60, 220, &err), ERR_SYSTEM);
    assert_int_equal(screen_rows(s), 50);
    a.left = 10;
    feed(s, "still here");
    screen_free(s);
    assert_int_equal(a.live, 0);
    /* Nor for a screen: refused, nothing lost.  What libvterm itself asks for it does not check. */
    for (size_t n = 0; n < 5; n++) {
        a = (struct allowance){.left = n};
        REFUSES(screen_new(&s, &config, &err), ERR_SYSTEM);
        assert_int_equal(a.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_stands_there),
        cmocka_unit_test(test_the_same_however_it_is_cut),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_lines_that_leave_are_told),
        cmocka_unit_test(test_resize_keeps_the_cursors_row),
        cmocka_unit_test(test_pens),
        cmocka_unit_test(test_all_memory_is_the_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
