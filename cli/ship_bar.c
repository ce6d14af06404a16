/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ship_bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "common/clock.h"

#define WIDTH      30
#define DRAW_US    100000
#define ERASE_LINE "\r\033[K"

static double mib(int64_t bytes)
{
    return (double)bytes / (1024 * 1024);
}

void ship_bar_line(const struct ship_progress *p, uint64_t elapsed_us, char *ret, size_t size)
{
    int64_t of = p->of_bytes < p->bytes ? p->bytes : p->of_bytes;
    double part = of == 0 ? 1 : (double)p->bytes / (double)of;
    double rate = elapsed_us == 0 ? 0 : mib(p->bytes) * 1e6 / (double)elapsed_us;
    int64_t left_s = rate > 0 ? (int64_t)(mib(of - p->bytes) / rate) : 0;
    char bar[WIDTH + 1];
    int filled = (int)(part * WIDTH);

    memset(bar, '.', WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[WIDTH] = '\0';
    left_s = left_s > 359999 ? 359999 : left_s;
    (void)snprintf(ret, size,
                   "[%s] %3d %%  %.1f of %.1f MiB, %.1f MiB/s, %" PRId64 ":%02" PRId64 " left", bar,
                   (int)(part * 100), mib(p->bytes), mib(of), rate, left_s / 60, left_s % 60);
}

void ship_bar_begin(struct ship_bar *b, bool wanted)
{
    memset(b, 0, sizeof *b);
    b->on = wanted && cmd_terminal(STDERR_FILENO);
    b->began_us = clock_boot_us();
}

void ship_bar_draw(struct ship_bar *b, const struct ship_progress *p)
{
    uint64_t now_us = clock_boot_us();
    char line[160];

    if (!b->on || (b->drawn && now_us - b->drawn_us < DRAW_US)) {
        return;
    }
    ship_bar_line(p, now_us - b->began_us, line, sizeof line);
    (void)fprintf(stderr, ERASE_LINE "%.79s", line);
    (void)fflush(stderr);
    b->drawn = true;
    b->drawn_us = now_us;
}

void ship_bar_clear(struct ship_bar *b)
{
    if (b->drawn) {
        (void)fputs(ERASE_LINE, stderr);
        (void)fflush(stderr);
        b->drawn = false;
    }
}
