/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/link.h"
#include "recorder/link_impl.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "common/clock.h"

#define ANCHOR_EVERY_US  (300U * 1000000U)
#define CLOCK_JUMP_US    1000000 /* more than any slewing between two looks */
#define FEW_BYTES        1024U   /* interactive, not bulk */
#define ECHO_WAIT_US     1500U
#define BATCH_BYTES      (24U * 1024)
#define TELL_US          1000000U /* a restart of the writer is not worth a word */
#define TELL_STALL_US    3000000U
#define TELL_AGAIN_US    50000U
#define FULL_END_MS      2000
#define BACKOFF_FIRST_MS 20U
#define BACKOFF_MOST_MS  1000U

/* How far the wall clock is ahead of the boot's own, which nobody sets. */
static int64_t ahead_us(void)
{
    return clock_unix_us() - (int64_t)clock_boot_us();
}

static void anchor(struct link *l)
{
    l->anchor_us = clock_boot_us() + ANCHOR_EVERY_US;
    l->ahead_us = ahead_us();
    link_text(l, 'm', link_now(l), "clock %lld", (long long)clock_unix_us());
}

/* Times of events go on, whatever the clock does; but which day it was is not certain any more. */
static void note_clock(struct link *l)
{
    int64_t by = ahead_us() - l->ahead_us;

    if (by < CLOCK_JUMP_US && by > -CLOCK_JUMP_US) {
        return;
    }
    link_text(l, 'm', link_now(l), "flag clock-jumped, %.3f s", (double)by / 1e6);
    anchor(l);
    link_send(l);
}

void link_begin(struct link *l, struct client *client, const struct policy *policy,
                const struct link_means *means)
{
    memset(l, 0, sizeof *l);
    l->client = client;
    l->policy = *policy;
    l->means = *means;
    l->zero_us = clock_boot_us();
    l->opened = true;
    anchor(l);
}

int link_begin_away(struct link *l, struct client *client, const struct policy *policy,
                    const struct link_means *means, enum link_way way, bool full, const char *why,
                    struct error *err)
{
    memset(l, 0, sizeof *l);
    l->client = client;
    l->policy = *policy;
    l->means = *means;
    l->zero_us = clock_boot_us();
    l->full = full;
    l->lost_us = l->retry_us = l->zero_us;
    l->backoff_ms = BACKOFF_MOST_MS;
    (void)snprintf(l->why, sizeof l->why, "%.120s", why);
    if (link_go_away(l, way == LINK_RING, err) != 0) {
        return -1;
    }
    anchor(l);
    return 0;
}

void link_close(struct link *l)
{
    ring_close(l->ring);
    l->ring = NULL;
}

uint64_t link_now(const struct link *l)
{
    return clock_boot_us() - l->zero_us;
}

static void flush(struct link *l)
{
    client_flush(l->client);
    l->sent_seq = client_last_seq(l->client);
    l->unsent = 0;
}

/* ---- losing and finding the writer ---- */

static uint64_t patience_us(const struct link *l)
{
    return (uint64_t)l->policy.writer_timeout_s * 1000000U;
}

static void note_loss(struct link *l, const char *why)
{
    if (client_lost(l->client) && l->lost_us == 0) {
        l->lost_us = clock_boot_us();
        l->retry_us = l->lost_us;
        l->backoff_ms = BACKOFF_FIRST_MS;
        (void)snprintf(l->why, sizeof l->why, "%.120s", why);
    }
}

static int reconnect(struct link *l, uint64_t now, struct error *err)
{
    struct error why = {.kind = ERR_NONE};

    if (!l->refused && link_call(l, &why) == 0) {
        link_found(l);
        return 0;
    }
    l->refused = l->refused || (l->opened && why.kind == ERR_DENIED);
    if (why.kind != ERR_NONE && !l->stalled) {
        (void)snprintf(l->why, sizeof l->why, "%.120s", why.text);
    }
    l->retry_us = clock_boot_us() + (uint64_t)l->backoff_ms * 1000U;
    l->backoff_ms = l->backoff_ms * 2 < BACKOFF_MOST_MS ? l->backoff_ms * 2 : BACKOFF_MOST_MS;
    if (l->away) {
        return 0;
    }
    if (now - l->lost_us >= TELL_US) {
        link_tell_lost(l);
    }
    return now - l->lost_us < patience_us(l) && !l->refused ? 0 : link_go_without(l, err);
}

enum link_wait link_waits(const struct link *l)
{
    size_t unacked = client_unacked_bytes(l->client);

    if (l->lost_us != 0 || unacked == 0 || unacked >= FEW_BYTES) {
        return LINK_WAITS_NOT;
    }
    return l->hold_us != 0 ? LINK_WAITS_ECHO : l->unsent == 0 ? LINK_WAITS_ACK : LINK_WAITS_NOT;
}

/* A writer that answers nothing, on a full disk say, is as good as none: what it has not committed
 * is on nobody's screen, and the session would stand still without a word. */
static void note_stall(struct link *l, uint64_t now)
{
    bool waiting = l->lost_us == 0 && !l->away && l->sent_seq > client_acked(l->client);

    if (!waiting || l->stall_us == 0 || client_acked(l->client) != l->stall_acked) {
        l->stall_acked = client_acked(l->client);
        l->stall_us = waiting ? now : 0;
        return;
    }
    if (now >= l->stall_us + TELL_STALL_US) {
        link_tell_lost(l);
    }
    if (l->policy.on_writer_loss == POLICY_LOSS_BLOCK || now < l->stall_us + patience_us(l)) {
        return;
    }
    client_drop(l->client);
    note_loss(l, "the writer commits nothing: is its disk full?");
    l->lost_us = l->stall_us;
    l->stalled = true;
    l->stall_us = 0;
}

static int broke(const struct link *l, struct error *err)
{
    return err_set(err, ERR_LIMIT, "the recording cannot go on: %s", l->why);
}

int link_tick(struct link *l, struct error *err)
{
    uint64_t now = clock_boot_us();

    if (l->broken) {
        return broke(l, err);
    }
    note_clock(l);
    if (now >= l->anchor_us) {
        anchor(l);
        link_send(l);
    }
    if (l->hold_us != 0 && now >= l->hold_us) {
        link_send(l);
    }
    if (l->line[0] != '\0') {
        link_tell(l);
    }
    note_loss(l, "the connection was closed");
    if (l->lost_us == 0 && link_note_full(l, err) != 0) {
        return -1;
    }
    note_stall(l, now);
    return l->lost_us != 0 && now >= l->retry_us ? reconnect(l, now, err) : 0;
}

uint64_t link_deadline(const struct link *l)
{
    uint64_t due = l->anchor_us;

    if (l->stall_us != 0) {
        uint64_t now = clock_boot_us();
        /* From the moment at which the keyboard is not read any more it is looked at often. */
        uint64_t look = now < l->stall_us + TELL_STALL_US ? l->stall_us + TELL_STALL_US
                                                          : now + RECONNECT_MS / 10 * 1000U;

        due = look < due ? look : due;
    }
    if (l->hold_us != 0 && l->hold_us < due) {
        due = l->hold_us;
    }
    if (l->line[0] != '\0' && clock_boot_us() + TELL_AGAIN_US < due) {
        due = clock_boot_us() + TELL_AGAIN_US;
    }
    if (l->lost_us != 0 && l->retry_us < due) {
        due = l->retry_us;
    }
    return due;
}

/* ---- queueing ---- */

bool link_leaves_out(const struct link *l, char kind)
{
    return !l->policy.record && kind != 'x';
}

/* Out of memory, or of the outbox's bound, which the readers' bounds keep far away. */
static void cannot_queue(struct link *l, struct error *err)
{
    if (!l->policy.record) {
        return; /* its row will say `cut`, that is all */
    }
    (void)snprintf(l->why, sizeof l->why, "%.120s", err->text);
    l->broken =
        l->policy.on_writer_loss != POLICY_LOSS_CONTINUE || link_go_away(l, false, err) != 0;
}

void link_event(struct link *l, char kind, uint64_t t_us, const void *bytes, size_t len)
{
    struct error err;

    if (l->broken || link_leaves_out(l, kind)) {
        return; /* nothing comes behind a gap */
    }
    if (l->away) {
        link_event_away(l, kind, t_us, bytes, len);
        return;
    }
    if (client_event(l->client, kind, t_us, bytes, len, NULL, &err) == 0) {
        l->unsent += len;
    } else {
        cannot_queue(l, &err);
    }
}

uint64_t link_output(struct link *l, char kind, uint64_t t_us, const void *bytes, size_t len)
{
    if (t_us <= l->last_out_us) {
        t_us = l->last_out_us + 1;
    }
    l->last_out_us = t_us;
    link_event(l, kind, t_us, bytes, len);
    if (l->broken) {
        return UINT64_MAX; /* it could not even be queued: never shown */
    }
    return l->away || !l->policy.commit_first || !l->policy.record ? 0 : client_last_seq(l->client);
}

void link_text(struct link *l, char kind, uint64_t t_us, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n > 0) {
        link_event(l, kind, t_us, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    }
}

void link_pending(struct link *l, uint64_t t_us, bool at_once)
{
    struct error err;

    if (l->away || l->broken || !l->policy.record) {
        return;
    }
    if (client_pending(l->client, t_us, &err) != 0) {
        cannot_queue(l, &err);
    } else if (at_once) {
        flush(l);
    }
}

/* ---- sending and receiving ---- */

void link_send(struct link *l)
{
    bool under_way = l->sent_seq > client_acked(l->client);

    l->hold_us = 0;
    /* The writer answers what it has in one commit; what is sent meanwhile waits for its next one
     * anyway, so sending it with the answer's arrival costs no time and saves a wake-up for each.
     */
    if (!under_way || l->unsent >= BATCH_BYTES) {
        flush(l);
    }
}

void link_send_soon(struct link *l)
{
    if (l->hold_us == 0) {
        l->hold_us = clock_boot_us() + ECHO_WAIT_US;
    }
}

void link_receive(struct link *l)
{
    struct error err = {.kind = ERR_NONE};
    uint64_t before = client_acked(l->client);
    uint32_t pid;

    if (client_receive(l->client, &err) != 0) {
        note_loss(l, err.text);
    }
    note_loss(l, "the connection was closed");
    pid = client_took_in(l->client);
    if (pid != 0) {
        link_text(l, 'm', link_now(l), "nested pid=%lu", (unsigned long)pid);
        link_send_soon(l);
    }
    if (client_acked(l->client) > before && client_last_seq(l->client) > l->sent_seq &&
        l->hold_us == 0) {
        link_send(l);
    }
    if (client_wants_write(l->client)) {
        client_flush(l->client);
    }
}

short link_poll_events(const struct link *l)
{
    /* Only what the socket refused asks for POLLOUT; what we hold back ourselves does not. */
    bool refused = l->sent_seq == client_last_seq(l->client) && client_wants_write(l->client);

    return refused ? POLLIN | POLLOUT : POLLIN;
}

uint64_t link_acked(const struct link *l)
{
    return l->away ? UINT64_MAX : client_acked(l->client);
}

bool link_congested(const struct link *l)
{
    return !l->away && client_unacked_bytes(l->client) >= LINK_UNACKED_MAX;
}

bool link_blocks(const struct link *l)
{
    bool stalls = l->stall_us != 0 && clock_boot_us() >= l->stall_us + TELL_STALL_US;

    return (l->lost_us != 0 || stalls) && !l->away && l->policy.record;
}

/* A session that went away for a full disk is still open there: what the writer kept back is for
 * its end. */
static int finish_away(struct link *l, unsigned patience_ms, struct error *err)
{
    if (l->full && l->lost_us == 0) {
        (void)client_finish(l->client, (int)(patience_ms < FULL_END_MS ? patience_ms : FULL_END_MS),
                            NULL);
    }
    link_close(l);
    return l->broken ? broke(l, err) : 0;
}

int link_finish(struct link *l, unsigned patience_ms, struct error *err)
{
    uint64_t end = clock_boot_us() + (uint64_t)patience_ms * 1000U;

    for (;;) {
        struct error why = {.kind = ERR_NONE};
        uint64_t now = clock_boot_us();
        int left = now < end ? (int)((end - now) / 1000U) : 0;

        if (l->away) {
            return finish_away(l, patience_ms, err);
        }
        if (l->lost_us == 0 && client_finish(l->client, left, &why) == 0) {
            return l->broken ? broke(l, err) : 0;
        }
        if (!l->policy.record) {
            return 0; /* its row says `cut`, that is all */
        }
        if (l->refused || clock_boot_us() >= end) {
            return err_set(err, ERR_RETRY, "the recording's end is not committed: %.150s",
                           why.kind != ERR_NONE ? why.text : l->why);
        }
        note_loss(l, why.text);
        if (link_tick(l, err) != 0) {
            return -1;
        }
        now = clock_boot_us();
        if (l->lost_us != 0 && l->retry_us > now) {
            (void)poll(NULL, 0, (int)((l->retry_us - now) / 1000U) + 1);
        }
    }
}
