/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/idle.h"

#include <string.h>

void idle_open(struct idle *i, uint64_t after_us, uint64_t now_us)
{
    *i = (struct idle){.after_us = after_us, .typed_us = now_us, .shown_us = now_us};
}

void idle_typed(struct idle *i, uint64_t now_us)
{
    i->typed_us = now_us;
    i->told = false;
}

void idle_shown(struct idle *i, uint64_t now_us)
{
    i->shown_us = now_us;
}

uint64_t idle_deadline(const struct idle *i)
{
    uint64_t newer = i->shown_us > i->typed_us ? i->shown_us : i->typed_us;
    uint64_t due = newer + i->after_us, last = i->typed_us + IDLE_SHOWN_TIMES * i->after_us;

    if (i->after_us == 0 || i->told) {
        return UINT64_MAX;
    }
    return due < last ? due : last;
}

bool idle_due(struct idle *i, uint64_t now_us)
{
    if (now_us < idle_deadline(i)) {
        return false;
    }
    i->told = true;
    return true;
}

bool idle_opens(const uint8_t *keys, size_t len)
{
    return memchr(keys, '\r', len) != NULL || memchr(keys, '\n', len) != NULL;
}
