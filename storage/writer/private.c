/* SPDX-License-Identifier: Apache-2.0 */
/* When a private writer may leave: it has one connection, which nobody will open again. */
#include "common/clock.h"
#include "storage/writer/writer_impl.h"

static bool nobody_talks(const struct writer *w)
{
    for (const struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->state != PEER_GONE) {
            return false;
        }
    }
    return true;
}

/* A private writer is done when its one connection is, and nothing is left to seal.  An open
 * session whose recorder lives is left to the writer that it will start next. */
bool private_is_done(const struct writer *w)
{
    if (!w->private || !nobody_talks(w)) {
        return false;
    }
    if (w->failing_since_us != 0 && clock_boot_us() - w->failing_since_us > WRITER_GIVE_UP_US) {
        return true; /* the database is gone or full: what is committed is there for the next one */
    }
    if (w->peers != NULL || w->jobs_away > 0) {
        return false;
    }
    for (const struct wsession *s = w->sessions; s != NULL; s = s->next) {
        if (s->closed || s->cut_due) {
            return false;
        }
    }
    return w->grace_until_us != 0 && clock_boot_us() >= w->grace_until_us;
}

void private_grace(struct writer *w, uint64_t now)
{
    bool open = false;

    if (!w->private || w->peers != NULL) {
        return;
    }
    for (const struct wsession *s = w->sessions; s != NULL; s = s->next) {
        open = open || !s->closed;
    }
    /* A killed recorder's descriptors close before it is a zombie: give it a second to die. */
    if (w->grace_until_us == 0) {
        w->grace_until_us = now + (open ? 1000000 : 0);
    }
    if (!open && !w->swept) {
        w->swept = true;
        recover_sweep(w);
    }
}
