/* SPDX-License-Identifier: Apache-2.0 */
/* screen_show ROWS COLS [BYTES ROWS COLS]... < FILE: what a terminal of that size shows after the
 * bytes of FILE; at so many bytes it becomes of another size. */
#include <stdio.h>
#include <stdlib.h>

#include "screen/screen.h"
#include "screen/text.h"

static int fail(const struct error *err)
{
    (void)fprintf(stderr, "screen_show: %s\n", err->text);
    return 1;
}

static int show(const struct screen *s, struct error *err)
{
    struct buf out;

    buf_init(&out, 4U << 20);
    for (int row = 0; row < screen_rows(s); row++) {
        if (screen_text(s, row, &out, err) != 0 || buf_putc(&out, '\n', err) != 0) {
            buf_clear(&out);
            return -1;
        }
    }
    (void)fwrite(buf_data(&out), 1, out.len, stdout);
    buf_clear(&out);
    return 0;
}

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
    struct screen_config config = {0};
    struct screen *s;
    struct error err;
    long at = 0;
    int next = 3, c;

    if (argc < 3 || argc % 3 != 0) {
        (void)fprintf(stderr, "usage: screen_show ROWS COLS [BYTES ROWS COLS]... < FILE\n");
        return 2;
    }
    config.rows = number(argv[1]);
    config.cols = number(argv[2]);
    if (screen_new(&s, &config, &err) != 0) {
        return fail(&err);
    }
    for (; (c = getchar()) != EOF; at++) {
        uint8_t byte = (uint8_t)c;

        while (next < argc && at == strtol(argv[next], NULL, 10)) {
            (void)screen_resize(s, number(argv[next + 1]), number(argv[next + 2]), &err);
            next += 3;
        }
        screen_feed(s, &byte, 1);
    }
    c = show(s, &err);
    screen_free(s);
    return c == 0 ? 0 : fail(&err);
}
