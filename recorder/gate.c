/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/gate.h"

#include <stdlib.h>
#include <string.h>

int gate_init(struct gate *g, struct error *err)
{
    memset(g, 0, sizeof *g);
    /* Untouched pages cost nothing: most sessions use the first few. */
    g->mem = malloc(GATE_SIZE);
    return g->mem != NULL ? 0 : err_sys(err, "allocate");
}

void gate_clear(struct gate *g)
{
    free(g->mem);
    g->mem = NULL;
}

size_t gate_space(const struct gate *g, uint8_t **ret)
{
    size_t at = g->in & (GATE_SIZE - 1), used = (size_t)(g->in - g->out);
    size_t to_end = GATE_SIZE - at, room = GATE_SIZE - used;

    *ret = g->mem + at;
    return room < to_end ? room : to_end;
}

void gate_filled(struct gate *g, size_t n, uint64_t seq)
{
    unsigned last;

    g->in += n;
    if (seq == 0 && g->count == 0) {
        g->allowed = g->in;
        return;
    }
    last = (g->first + g->count - 1) % GATE_MARKS;
    /* Bytes of no event of their own wait for those before them; with no mark left, two wait as
     * one. */
    if (seq == 0 || (g->count > 0 && (g->count == GATE_MARKS || g->mark[last].seq == seq))) {
        g->mark[last].end = g->in;
        g->mark[last].seq = seq > g->mark[last].seq ? seq : g->mark[last].seq;
        return;
    }
    last = (g->first + g->count++) % GATE_MARKS;
    g->mark[last].seq = seq;
    g->mark[last].end = g->in;
}

void gate_ack(struct gate *g, uint64_t seq)
{
    while (g->count > 0 && g->mark[g->first].seq <= seq) {
        g->allowed = g->mark[g->first].end;
        g->first = (g->first + 1) % GATE_MARKS;
        g->count--;
    }
}

size_t gate_next(const struct gate *g, const uint8_t **ret)
{
    size_t at = g->out & (GATE_SIZE - 1), to_end = GATE_SIZE - at;
    size_t may = (size_t)(g->allowed - g->out);

    *ret = g->mem + at;
    return may < to_end ? may : to_end;
}

void gate_shown(struct gate *g, size_t n)
{
    g->out += n;
    /* Empty: begin at the front again, so that a small session touches few pages. */
    if (g->out == g->in) {
        g->in = g->out = g->allowed = 0;
    }
}

size_t gate_waiting(const struct gate *g)
{
    return (size_t)(g->in - g->out);
}

bool gate_full(const struct gate *g)
{
    return g->in - g->out >= GATE_LIMIT;
}
