/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the next event is due: a clock of the recording (long waits cut to a limit) tied to a clock
 * of ours by a speed.  Pure: what time it is now is a parameter.  All times are microseconds.
 */
#ifndef TTYTRAIL_REPLAY_PACE_H
#define TTYTRAIL_REPLAY_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_MIN_SPEED (1.0 / 64)
#define PACE_MAX_SPEED 65536.0

struct pace {
    double speed;
    uint64_t idle_limit_us;     /* 0: none */
    uint64_t last_t_us, due_us; /* of the event waited for: recorded, and with waits cut */
    uint64_t shown_us;          /* due_us of the event shown last */
    uint64_t anchor_us, anchor_now_us;
    bool paused;
};

/** pace_init(p, speed, idle_limit_us, now_us): The recording's clock stands at 0 and runs. */
void pace_init(struct pace *p, double speed, uint64_t idle_limit_us, uint64_t now_us);
/** pace_wait_for(p, t_us): The next event was recorded at ${t_us}. */
void pace_wait_for(struct pace *p, uint64_t t_us);
/** pace_left(p, now_us): How long to wait for it; 0 it is due; UINT64_MAX while paused. */
uint64_t pace_left(const struct pace *p, uint64_t now_us);
/** pace_shown(p, now_us): It was shown, early perhaps: then the clock goes on from there. */
void pace_shown(struct pace *p, uint64_t now_us);
void pace_pause(struct pace *p, bool paused, uint64_t now_us);
/** pace_set_speed(p, speed, now_us): Clamped to PACE_MIN_SPEED .. PACE_MAX_SPEED. */
void pace_set_speed(struct pace *p, double speed, uint64_t now_us);

#endif
