/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "recorder/redact_impl.h"

#define KEY_CTRL_C  3
#define KEY_CTRL_D  4
#define KEY_BELL    7
#define KEY_TAB     9
#define KEY_CTRL_Z  26
#define KEY_ESC     27
#define KEY_CTRL_BS 28 /* ^\ */

#define PARTIAL_WAIT_US (100U * REDACT_MS) /* for the rest of an escape sequence */
#define AHEAD_COLUMNS   300                /* of unechoed keys that a position allows for */
#define LOOKS           64                 /* first keys of a run at which a prompt is looked for */
#define ROWS_BELOW      3                  /* ... or the next field of a form */
#define ROWS_ABOVE      6                  /* of a full screen that may hold the prompt */

/* ---- where a run begins, and what asks there ---- */

static size_t row_text(const struct redact *r, int row, int to, uint32_t *text)
{
    size_t n = view_text(&r->view, row, 0, to < (int)PROMPT_TEXT ? to : (int)PROMPT_TEXT, text);

    while (n > 0 && text[n - 1] == ' ') {
        n--;
    }
    return n;
}

/* Where that is more than there is room for, rows further above are left out. */
static size_t full_screen_text(const struct redact *r, int cursor, uint32_t text[PROMPT_TEXT])
{
    uint32_t one[PROMPT_TEXT];
    int cols = screen_cols(r->view.screen);
    int last = cursor + ROWS_BELOW < screen_rows(r->view.screen) ? cursor + ROWS_BELOW
                                                                 : screen_rows(r->view.screen) - 1;
    size_t n = 0;

    for (int row = cursor > ROWS_ABOVE ? cursor - ROWS_ABOVE : 0; row <= last; row++) {
        size_t len = row_text(r, row, cols, one);

        len = len < PROMPT_TEXT - 1 ? len : PROMPT_TEXT - 1;
        if (n + len + 1 > PROMPT_TEXT) {
            size_t over = n + len + 1 - PROMPT_TEXT;

            memmove(text, text + over, (n - over) * sizeof text[0]);
            n -= over;
        }
        memcpy(text + n, one, len * sizeof one[0]);
        n += len;
        text[n++] = '\n';
    }
    explicit_bzero(one, sizeof one);
    return n;
}

/* Left of the cursor; the row above too where the cursor stands at the left edge, or where that
 * row is full and goes on in this one. */
size_t redact_keys_text(const struct redact *r, uint32_t text[PROMPT_TEXT])
{
    const struct screen *s = r->view.screen;
    uint32_t left[SCREEN_MAX_COLS];
    size_t n_left, n = 0;
    int row, col, cols;

    if (s == NULL) {
        return 0;
    }
    screen_cursor(s, &row, &col);
    if (screen_is_alt(s)) {
        return full_screen_text(r, row, text);
    }
    cols = screen_cols(s);
    n_left = row_text(r, row, col, left);
    if (row > 0) {
        uint32_t edge = screen_row(s, row - 1)[cols - 1].ch;
        bool wrapped = edge != 0 && edge != ' ';

        if (n_left < 2 || wrapped) {
            n = row_text(r, row - 1, cols, text);
        }
        if (n_left < 2 && n > 0 && !wrapped) {
            text[n++] = '\n';
        }
    }
    memcpy(text + n, left, n_left * sizeof left[0]);
    return n + n_left;
}

static bool typed_ahead(const struct redact *r, enum typed_class class)
{
    return class == TYPED_ECHOED && r->config.typeahead_hold_s > 0 && r->before.job > 0 &&
           r->before.job != r->reads_lines && r->view.screen != NULL &&
           !screen_is_alt(r->view.screen);
}

/* The text left of the cursor ends like a question or a prompt: whoever shows that reads. */
static bool is_question(const struct redact *r)
{
    uint32_t left[PROMPT_TEXT];
    int row, col;
    size_t n;

    screen_cursor(r->view.screen, &row, &col);
    n = row_text(r, row, col, left);
    return n > 0 && prompt_ends_like_one(left[n - 1]);
}

static void look_for_prompt(struct redact *r, struct typed_run *run)
{
    uint32_t text[PROMPT_TEXT];

    run->prompt = prompt_asks(&r->prompt, text, redact_keys_text(r, text));
    run->looked = r->view.generation;
}

/* Over a slow line the prompt comes when its secret is being typed. */
static void look_again(struct redact *r, struct typed_run *run)
{
    if (!run->prompt && !run->echoed && !run->ahead && run->keys <= LOOKS &&
        run->looked != r->view.generation &&
        (run->full_screen || (r->view.screen != NULL && is_question(r)))) {
        look_for_prompt(r, run);
    }
}

static void look_around(struct redact *r, struct typed_run *run, const struct typed_key *k)
{
    const struct screen *s = r->view.screen;

    run->first_us = k->t_us;
    look_for_prompt(r, run);
    run->full_screen = s != NULL && screen_is_alt(s);
    run->editor = s != NULL && screen_pastes(s) && r->editor_fresh;
    run->ahead = typed_ahead(r, (enum typed_class)k->class);
    run->answer = run->ahead && is_question(r);
}

static struct typed_run *run_for(struct redact *r, enum typed_class class)
{
    struct typed *q = &r->typed;
    bool reader_changed =
        class != r->last_class && (class == TYPED_SILENT || r->last_class == TYPED_SILENT);
    struct typed_run *run;

    if (q->next_run != 0 && !r->bound && !reader_changed) {
        return &q->runs[(q->next_run - 1) % TYPED_RUNS];
    }
    run = typed_begin_run(q);
    if (run != NULL) {
        run->crowded = q->count > 0;
        run->before = r->line_before;
        run->joined = r->line_joined;
    }
    return run;
}

/* ---- keys ---- */

/* What ends a line: ^C and ^Z only where they are signals (mysql's prompt takes them as characters,
 * and a password may hold one); ^G leaves a line editor, but is a character to a silent reader. */
static bool ends_line(const struct unit *u, enum typed_class class, bool isig)
{
    if (u->kind != UNIT_CONTROL) {
        return u->kind == UNIT_LINE;
    }
    switch (u->ch) {
    case KEY_CTRL_D:
        return true;
    case KEY_CTRL_C:
    case KEY_CTRL_Z:
        return class != TYPED_SILENT || isig;
    case KEY_CTRL_BS:
        return isig;
    case KEY_BELL:
        return class != TYPED_SILENT;
    default:
        return false;
    }
}

static int columns_ahead(const struct redact *r)
{
    int columns = 0;

    for (uint32_t i = r->typed.count; i > 0 && columns < AHEAD_COLUMNS; i--) {
        const struct typed_key *k = typed_at(&r->typed, i - 1);

        columns += k->kind == UNIT_PRINT && !k->echoed ? k->width : 0;
    }
    return columns;
}

/* Columns of ${c} on a screen, near enough for where its echo may stand. */
static uint8_t width_of(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                   (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                   (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                   (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd)
               ? 2
               : 1;
}

/* A silent reader gets its second key: whoever it is, it is time to note its name. */
static void name_reader(struct redact *r, struct typed_run *run, const struct typed_key *k)
{
    bool waits = r->typed.count > 0 &&
                 typed_at(&r->typed, r->typed.count - 1)->kind == UNIT_PRINT &&
                 !typed_at(&r->typed, r->typed.count - 1)->echoed;

    if (!run->named && k->kind == UNIT_PRINT && (k->class == TYPED_SILENT || waits)) {
        run->named = true;
        r->sink.reader(r->sink.user, run->reader);
    }
}

static void note_paste(struct redact *r, const uint8_t *bytes, size_t len)
{
    static const char begin[] = "\033[200~", end[] = "\033[201~";

    if (len == sizeof begin - 1) {
        r->in_paste =
            memcmp(bytes, begin, len) == 0 || (r->in_paste && memcmp(bytes, end, len) != 0);
    }
}

static void judge_newest(struct redact *r)
{
    if (r->typed.count > 0) {
        redact_echo_judge(r, typed_at(&r->typed, r->typed.count - 1));
    }
}

static bool on_full_screen(const struct redact *r)
{
    return r->view.screen != NULL && screen_is_alt(r->view.screen);
}

static void add(struct redact *r, const struct unit *u, const uint8_t *bytes,
                enum typed_class class, bool isig, uint64_t t_us)
{
    struct typed_key k = {
        .t_us = t_us,
        .printed = r->history.end,
        .snapshot = redact_echo_snapshot(r),
        .ch = u->ch,
        .len = (uint16_t)u->len,
        .kind = (uint8_t)u->kind,
        .class = (uint8_t) class,
        .width = width_of(u->ch),
        .ends = ends_line(u, class, isig),
    };
    struct typed_run *run;
    int col;

    view_cursor(&r->view, &k.absrow, &col);
    k.col = col;
    judge_newest(r);
    run = run_for(r, class);
    r->bound = false;
    r->last_class = class;
    if (run != NULL) {
        if (k.kind == UNIT_PRINT && run->keys++ == 0) {
            look_around(r, run, &k);
        } else if (k.kind == UNIT_PRINT) {
            look_again(r, run);
        }
        name_reader(r, run, &k);
        k.ahead = columns_ahead(r);
        k.after_control =
            r->typed.count > 0 && (typed_at(&r->typed, r->typed.count - 1)->kind != UNIT_PRINT ||
                                   typed_at(&r->typed, r->typed.count - 1)->after_control);
    }
    /* Without memory for it a key is lost, which is the safe side. */
    (void)typed_push(&r->typed, &k, bytes);
    if (u->kind == UNIT_ESCAPE) {
        note_paste(r, bytes, u->len);
    }
    if (k.ends) {
        r->bound = true;
        r->editor_fresh = false;
        r->line_before = 0;
        r->line_joined = false;
    } else if (u->kind == UNIT_CONTROL && !r->in_paste &&
               (u->ch == KEY_ESC || (u->ch == KEY_TAB && on_full_screen(r)))) {
        r->bound = true; /* a tab leads to the next field of a form */
    }
    r->last_key_us = t_us;
}

/* ---- a key whose rest has not come ---- */

/* The stricter of two: a character split over two reads (docs/REDACTION.md). */
static enum typed_class stricter(enum typed_class a, enum typed_class b)
{
    return a == TYPED_SILENT || b == TYPED_SILENT   ? TYPED_SILENT
           : a == TYPED_TURNED || b == TYPED_TURNED ? TYPED_TURNED
           : a == b                                 ? a
                                                    : TYPED_RAW;
}

static void wait_for_rest(struct redact *r, const uint8_t *bytes, size_t len,
                          enum typed_class class, bool isig, uint64_t t_us)
{
    if (r->partial == NULL && (r->partial = secrets_alloc(&r->secrets, UNIT_MAX)) == NULL) {
        return;
    }
    memmove(r->partial, bytes, len);
    r->partial_len = len;
    r->partial_us = t_us;
    r->partial_class = class;
    r->partial_isig = isig;
}

/* The beginning that waits, and as many of ${bytes} as make it whole, which is how many are used.
 */
static size_t complete(struct redact *r, const uint8_t *bytes, size_t len, enum typed_class class,
                       bool isig)
{
    size_t used = 0;
    struct unit u;

    /* It stays as strict as its strictest part, however many there will be. */
    r->partial_class = stricter(class, r->partial_class);

    while (r->partial_len > 0 && used < len) {
        r->partial[r->partial_len++] = bytes[used++];
        /* Taken apart, a beginning may be several keys. */
        while (unit_typed(r->partial, r->partial_len, false, &u)) {
            add(r, &u, r->partial, r->partial_class, isig, r->partial_us);
            r->partial_len -= u.len;
            memmove(r->partial, r->partial + u.len, r->partial_len);
            explicit_bzero(r->partial + r->partial_len, u.len);
        }
    }
    return used;
}

void redact_keys_typed(struct redact *r, const uint8_t *bytes, size_t len, enum typed_class class,
                       bool isig, uint64_t t_us)
{
    struct unit u;

    view_sync(&r->view);
    if (r->partial_len > 0) {
        size_t used = complete(r, bytes, len, class, isig);

        bytes += used;
        len -= used;
    }
    /* Keys of one write are held against one screen: nothing was shown between them. */
    while (unit_typed(bytes, len, false, &u)) {
        add(r, &u, bytes, class, isig, t_us);
        bytes += u.len;
        len -= u.len;
    }
    if (len > 0) {
        wait_for_rest(r, bytes, len, class, isig, t_us);
    }
}

uint64_t redact_keys_due(const struct redact *r)
{
    return r->partial_len > 0 ? r->partial_us + PARTIAL_WAIT_US : REDACT_NO_PENDING;
}

void redact_keys_partial(struct redact *r)
{
    const uint8_t *p = r->partial;
    size_t len = r->partial_len;
    struct unit u;

    if (len == 0) {
        return;
    }
    view_sync(&r->view);
    while (unit_typed(p, len, true, &u)) {
        add(r, &u, p, r->partial_class, r->partial_isig, r->partial_us);
        p += u.len;
        len -= u.len;
    }
    explicit_bzero(r->partial, r->partial_len);
    r->partial_len = 0;
}
