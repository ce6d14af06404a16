/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fair sharing between users.  Whoever sends more than user_kib_s is not read while another user
 * has something to say: alone he may take all there is.  Who lets more than user_held_kib pile up
 * uncommitted is not read until it is committed.  Nothing is dropped: his recorders wait, each for
 * its turn: who was read last is the last to be read again.
 */
#include <stdlib.h>

#include "storage/writer/writer_impl.h"

#define BURST_US   250000  /* of the rate, at once */
#define DEBT_US    2000000 /* so long a debt is remembered, else small rates would not be kept */
#define OTHERS_US  1000000 /* who was heard so lately has something to say */
#define FORGET_US  60000000
#define HELD_NEVER (256U * 1024) /* so much everybody may hold */

void limits_join(struct writer *w, struct peer *p)
{
    struct wuser *u = w->users;

    if (w->private) {
        return;
    }
    while (u != NULL && u->uid != p->uid) {
        u = u->next;
    }
    if (u == NULL) {
        u = calloc(1, sizeof *u);
        if (u == NULL) {
            return;
        }
        u->uid = p->uid;
        u->next = w->users;
        w->users = u;
    }
    u->peers++;
    p->user = u;
}

void limits_leave(struct peer *p)
{
    if (p->user != NULL) {
        p->user->last = p->user->last == p ? NULL : p->user->last;
        p->user->peers--;
        p->user = NULL;
    }
}

static void refill(const struct writer *w, struct wuser *u, uint64_t now_us)
{
    int64_t rate = w->conf->user_kib_s * 1024, most = rate * BURST_US / 1000000;
    int64_t debt = u->contended ? rate * DEBT_US / 1000000 : most;
    uint64_t gone = now_us - u->filled_us;
    int64_t more;

    if (gone > FORGET_US) {
        gone = FORGET_US;
        u->filled_us = now_us - gone;
    }
    more = (int64_t)gone * rate / 1000000;
    u->tokens += more;
    u->tokens = u->tokens > most ? most : u->tokens;
    /* What he took while he was alone is forgiven. */
    u->tokens = u->tokens < -debt ? -debt : u->tokens;
    /* What is less than a byte yet must not be lost: turns may be microseconds apart. */
    u->filled_us += (uint64_t)((more * 1000000 + rate - 1) / rate);
}

void limits_spend(const struct writer *w, struct peer *p, size_t bytes, uint64_t now_us)
{
    struct wuser *u = p->user;

    if (u != NULL) {
        refill(w, u, now_us);
        u->tokens -= (int64_t)bytes;
        u->heard_us = now_us;
        u->last = p;
        u->paused = u->paused || (u->contended && u->tokens < 0);
    }
}

bool limits_wait(const struct peer *p)
{
    return p->user != NULL && p->user->paused;
}

static void forget(struct writer *w, uint64_t now_us)
{
    for (struct wuser **at = &w->users; *at != NULL;) {
        struct wuser *u = *at;

        if (u->peers == 0 && now_us - u->heard_us > FORGET_US) {
            *at = u->next;
            free(u);
        } else {
            at = &u->next;
        }
    }
}

void limits_turn(struct writer *w, uint64_t now_us)
{
    size_t most = (size_t)w->conf->user_held_kib * 1024;
    unsigned busy = 0;

    w->paused = false;
    if (w->users == NULL || (w->users->next == NULL && w->users->uid == 0)) {
        return;
    }
    for (struct wuser *u = w->users; u != NULL; u = u->next) {
        u->held = 0;
        busy += u->peers > 0 && now_us - u->heard_us < OTHERS_US;
    }
    for (const struct peer *p = w->peers; p != NULL; p = p->next) {
        /* Half an event is not counted: no commit would make it less. */
        if (p->user != NULL) {
            p->user->held += p->events;
        }
    }
    for (struct wuser *u = w->users; u != NULL; u = u->next) {
        u->contended = busy > (u->peers > 0 && now_us - u->heard_us < OTHERS_US ? 1U : 0U);
        refill(w, u, now_us);
        u->paused = (u->contended && u->tokens < 0) ||
                    (u->uid != 0 && u->held > most && u->held > HELD_NEVER);
        w->paused = w->paused || u->paused;
    }
    forget(w, now_us);
}

void limits_each(struct writer *w, void (*visit)(struct writer *w, struct peer *p))
{
    for (struct wuser *u = w->users; u != NULL; u = u->next) {
        u->past = u->last == NULL;
    }
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        p->visited = p->user == NULL || p->user->past;
        if (p->visited) {
            visit(w, p);
        } else {
            p->user->past = p == p->user->last;
        }
    }
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (!p->visited) {
            visit(w, p);
        }
    }
}
