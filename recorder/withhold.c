/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/withhold.h"

#include <string.h>

#define ALIKE_MIN 3U /* of a character that is not known as a mask */

bool withhold_is_mask(uint32_t ch)
{
    static const uint32_t masks[] = {'*',    0x2022, 0x25cf, 0x2219, 0xb7,   0x25aa,
                                     0x25a0, 0x25e6, 0x25cb, 0x2b24, 0x2731, 0xff0a};

    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        if (masks[i] == ch) {
            return true;
        }
    }
    return false;
}

bool withhold_counts(struct withhold *w, uint32_t ch)
{
    w->alike = ch == w->last ? w->alike + 1 : 1;
    w->last = ch;
    return withhold_is_mask(ch) || (ch != ' ' && w->alike >= ALIKE_MIN);
}

bool withhold_put(struct withhold *w, struct secrets *secrets, const uint8_t *bytes, size_t len)
{
    if (w->bytes == NULL && (w->bytes = secrets_alloc(secrets, WITHHOLD_MAX)) == NULL) {
        return false;
    }
    if (len > WITHHOLD_MAX - w->len) {
        return false;
    }
    memcpy(w->bytes + w->len, bytes, len);
    w->len += len;
    w->has_newline = w->has_newline || memchr(bytes, '\n', len) != NULL;
    return true;
}

void withhold_forget(struct withhold *w)
{
    if (w->bytes != NULL) {
        explicit_bzero(w->bytes, w->len);
    }
    w->len = 0;
    w->has_newline = w->frame = w->stale = false;
    w->what = WITHHOLD_NOTHING;
}

void withhold_close(struct withhold *w, struct secrets *secrets)
{
    withhold_forget(w);
    secrets_free(secrets, w->bytes);
    memset(w, 0, sizeof *w);
}

static bool before(int64_t row, int col, int64_t than_row, int than_col)
{
    return row < than_row || (row == than_row && col < than_col);
}

void withhold_extend(struct withhold *w, int64_t row, int col, int width, int cols)
{
    /* Behind the right edge is the left one of the row below. */
    int64_t end_row = col + width < cols ? row : row + 1;
    int end_col = col + width < cols ? col + width : 0;

    if (!w->span || before(row, col, w->row, w->col)) {
        w->row = row;
        w->col = col;
    }
    if (!w->span || before(w->end_row, w->end_col, end_row, end_col)) {
        w->end_row = end_row;
        w->end_col = end_col;
    }
    w->decided = w->span && w->decided;
    w->span = true;
}

bool withhold_within(const struct withhold *w, int64_t row, int col)
{
    return w->span && !before(row, col, w->row, w->col) &&
           !before(w->end_row, w->end_col, row, col);
}
