/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/pace.h"

static double clamp(double speed)
{
    if (!(speed > PACE_MIN_SPEED)) {
        return PACE_MIN_SPEED;
    }
    return speed > PACE_MAX_SPEED ? PACE_MAX_SPEED : speed;
}

/* Where the recording's clock stands; never beyond the event waited for, which may come late from a
 * pipe or a slow terminal: then nothing is hurried through afterwards. */
static uint64_t position(const struct pace *p, uint64_t now_us)
{
    double at;

    if (p->paused || now_us <= p->anchor_now_us) {
        return p->anchor_us;
    }
    at = (double)p->anchor_us + (double)(now_us - p->anchor_now_us) * p->speed;
    return at >= (double)p->due_us ? p->due_us : (uint64_t)at;
}

static void anchor(struct pace *p, uint64_t at_us, uint64_t now_us)
{
    p->anchor_us = at_us;
    p->anchor_now_us = now_us;
}

void pace_init(struct pace *p, double speed, uint64_t idle_limit_us, uint64_t now_us)
{
    *p = (struct pace){.speed = clamp(speed), .idle_limit_us = idle_limit_us};
    anchor(p, 0, now_us);
}

void pace_wait_for(struct pace *p, uint64_t t_us)
{
    uint64_t gap = t_us > p->last_t_us ? t_us - p->last_t_us : 0;

    if (p->idle_limit_us > 0 && gap > p->idle_limit_us) {
        gap = p->idle_limit_us;
    }
    if (t_us > p->last_t_us) {
        p->last_t_us = t_us;
    }
    p->due_us = p->shown_us + gap;
}

uint64_t pace_left(const struct pace *p, uint64_t now_us)
{
    double left;

    if (p->paused) {
        return UINT64_MAX;
    }
    left = ((double)p->due_us - (double)p->anchor_us) / p->speed -
           ((double)now_us - (double)p->anchor_now_us);
    return left <= 0 ? 0 : left >= 1e18 ? UINT64_MAX : (uint64_t)left + 1;
}

void pace_shown(struct pace *p, uint64_t now_us)
{
    p->shown_us = p->due_us;
    if (p->paused || pace_left(p, now_us) > 0) {
        anchor(p, p->due_us, now_us);
    }
}

void pace_pause(struct pace *p, bool paused, uint64_t now_us)
{
    anchor(p, position(p, now_us), now_us);
    p->paused = paused;
}

void pace_set_speed(struct pace *p, double speed, uint64_t now_us)
{
    anchor(p, position(p, now_us), now_us);
    p->speed = clamp(speed);
}
