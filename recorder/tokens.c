/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/tokens.h"

#include <string.h>

static void on_keep(void *user, const uint8_t *bytes, size_t len)
{
    struct tokens *t = user;

    if (t->kind == 'i') {
        link_event(t->link, 'i', t->t_us, bytes, len);
    } else {
        uint64_t seq = link_output(t->link, t->kind, t->t_us, bytes, len);

        t->seq = seq != 0 ? seq : t->seq;
    }
}

static void on_token(void *user, const char *kind)
{
    struct tokens *t = user;

    link_text(t->link, 'm', t->t_us, "token %s, %s", kind, t->kind == 'i' ? "input" : "output");
}

void tokens_open(struct tokens *t, struct link *link, char kind, bool on)
{
    memset(t, 0, sizeof *t);
    t->link = link;
    t->kind = kind;
    t->on = on;
}

void tokens_resize(struct tokens *t, unsigned cols)
{
    t->cols = cols;
    if (t->shapes != NULL) {
        shapes_width(t->shapes, cols);
    }
}

void tokens_close(struct tokens *t)
{
    secrets_close(&t->secrets);
    t->shapes = NULL;
}

static bool ready(struct tokens *t)
{
    struct shapes_sink sink = {t, on_keep, on_token};

    if (t->on && t->shapes == NULL) {
        t->shapes = secrets_alloc(&t->secrets, sizeof *t->shapes);
        t->on = t->shapes != NULL;
        if (t->on) {
            shapes_open(t->shapes, &sink);
            shapes_width(t->shapes, t->cols);
        }
    }
    return t->on;
}

uint64_t tokens_put(struct tokens *t, uint64_t t_us, const uint8_t *bytes, size_t len)
{
    t->t_us = t_us;
    t->put_us = link_now(t->link);
    t->seq = 0;
    if (ready(t)) {
        shapes_put(t->shapes, bytes, len);
    } else {
        on_keep(t, bytes, len);
    }
    return t->seq;
}

uint64_t tokens_deadline(const struct tokens *t)
{
    return t->shapes != NULL && shapes_waiting(t->shapes) ? t->put_us + TOKENS_WAIT_US : UINT64_MAX;
}

void tokens_tick(struct tokens *t, uint64_t now_us)
{
    if (tokens_deadline(t) <= now_us) {
        tokens_flush(t);
    }
}

void tokens_flush(struct tokens *t)
{
    if (t->shapes != NULL) {
        shapes_flush(t->shapes);
    }
}
