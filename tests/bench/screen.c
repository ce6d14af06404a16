/* SPDX-License-Identifier: Apache-2.0 */
/* screen FILE: MB/s at which the screen model takes FILE's bytes at 200 x 50, without and with
 * somebody who listens; and microseconds to make one. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "screen/screen.h"

#define PIECE 65536U

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_event(void *user, const struct screen_event *event)
{
    *(uint64_t *)user += event->ch;
}

static double feed(const uint8_t *bytes, size_t len, bool listen)
{
    uint64_t sum = 0;
    struct screen_config config = {
        .rows = 50, .cols = 200, .on_event = listen ? on_event : NULL, .user = &sum};
    struct screen *s;
    struct error err;
    double began;

    if (screen_new(&s, &config, &err) != 0) {
        return 0;
    }
    began = now();
    for (size_t at = 0; at < len; at += PIECE) {
        screen_feed(s, bytes + at, len - at < PIECE ? len - at : PIECE);
    }
    began = (double)len / 1e6 / (now() - began);
    screen_free(s);
    return began;
}

static double make(int rows, int cols)
{
    struct screen_config config = {.rows = rows, .cols = cols};
    double began = now();

    for (int i = 0; i < 1000; i++) {
        struct screen *s;
        struct error err;

        if (screen_new(&s, &config, &err) == 0) {
            screen_free(s);
        }
    }
    return (now() - began) * 1e3;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    uint8_t *bytes = malloc(128U << 20);
    size_t len;

    if (f == NULL || bytes == NULL) {
        (void)fprintf(stderr, "usage: screen FILE\n");
        return 2;
    }
    len = fread(bytes, 1, 128U << 20, f);
    (void)fclose(f);
    printf("%.1f %.1f %.1f %.1f\n", feed(bytes, len, false), feed(bytes, len, true), make(24, 80),
           make(50, 200));
    free(bytes);
    return 0;
}
