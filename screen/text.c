/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/text.h"

#include "common/utf8.h"

static int put(struct buf *out, uint32_t ch, struct error *err)
{
    uint8_t bytes[4];

    /* What a program printed as a character of the C1 range would be a control in a file. */
    ch = ch < 0x20 || (ch >= 0x7f && ch < 0xa0) ? 0xfffd : ch;
    return buf_append(out, bytes, utf8_put(ch, bytes), err);
}

static int put_cell(const struct screen *s, const struct screen_cell *c, struct buf *out,
                    struct error *err)
{
    uint32_t marks[5];
    int n = screen_marks(s, c, marks);

    if (put(out, c->ch != 0 ? c->ch : ' ', err) != 0) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        if (put(out, marks[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

int screen_text(const struct screen *s, int row, struct buf *out, struct error *err)
{
    const struct screen_cell *cells = screen_row(s, row);
    int end = screen_cols(s);

    while (end > 0 && (cells[end - 1].ch == 0 || cells[end - 1].ch == ' ')) {
        end--;
    }
    for (int i = 0; i < end; i++) {
        if (cells[i].ch != SCREEN_TAIL && put_cell(s, &cells[i], out, err) != 0) {
            return -1;
        }
    }
    return 0;
}
