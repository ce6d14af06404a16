/* SPDX-License-Identifier: Apache-2.0 */
/* Going on without the writer, and coming back to it. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "recorder/link_impl.h"
#include "storage/wire/facts.h"

/* ---- what is said ---- */

void link_tell(struct link *l)
{
    /* Who is not recorded has nothing to hear of the recording. */
    if (l->means.tell == NULL || !l->policy.record || l->means.tell(l->means.tell_user, l->line)) {
        l->line[0] = '\0';
    }
}

/* The newest news only: a terminal that takes nothing may miss what is over meanwhile. */
static void tell(struct link *l, const char *line)
{
    (void)snprintf(l->line, sizeof l->line, "%s", line);
    link_tell(l);
}

static const char *cause(const struct link *l)
{
    return l->full ? "disk full" : "writer lost";
}

void link_tell_lost(struct link *l)
{
    char line[120];

    if (l->told) {
        return;
    }
    l->told = true;
    switch (link_way(&l->policy, &l->means, false)) {
    case LINK_WAIT:
        tell(l, "the recording is interrupted: this session stands still until it goes on");
        break;
    case LINK_RING:
    case LINK_UNRECORDED:
        (void)snprintf(line, sizeof line,
                       "the recording is interrupted: waiting for it up to %u seconds",
                       l->policy.writer_timeout_s);
        tell(l, line);
        break;
    case LINK_END:
    default:
        (void)snprintf(line, sizeof line,
                       "the recording is interrupted: this session ends in %u seconds unless it "
                       "goes on",
                       l->policy.writer_timeout_s);
        tell(l, line);
    }
}

/* ---- going ---- */

enum link_way link_way(const struct policy *policy, const struct link_means *means, bool full)
{
    enum link_way way = LINK_END;

    if (!policy->record) {
        return LINK_UNRECORDED;
    }
    if (full) {
        way = policy->on_disk_full == POLICY_FULL_RING       ? LINK_RING
              : policy->on_disk_full == POLICY_FULL_CONTINUE ? LINK_UNRECORDED
                                                             : LINK_END;
    } else {
        way = policy->on_writer_loss == POLICY_LOSS_BLOCK      ? LINK_WAIT
              : policy->on_writer_loss == POLICY_LOSS_CONTINUE ? LINK_UNRECORDED
                                                               : LINK_END;
    }
    if (way == LINK_END && means->insider && means->ring_dir != NULL) {
        way = LINK_RING;
    }
    return way;
}

static int open_ring(struct link *l, struct error *err)
{
    struct buf facts;
    struct ring_config config = {
        .dir = l->means.ring_dir,
        .kib = l->policy.ring_kib,
        .facts = &facts,
        .started_us = clock_unix_us() - (int64_t)link_now(l),
    };
    const uint8_t *frames;
    char of[33];
    size_t len;
    int rc;

    if (config.dir == NULL || l->means.facts == NULL) {
        return err_set(err, ERR_DENIED, "there is no ring for this session");
    }
    buf_init(&facts, FACTS_MAX);
    rc = buf_append(&facts, buf_data(l->means.facts), l->means.facts->len, err);
    if (rc == 0 && l->opened) {
        rc = facts_put_text(&facts, "ring_of", io_hex(client_session(l->client), 16, of), err);
    }
    rc = rc == 0 ? ring_open(&l->ring, &config, err) : -1;
    buf_clear(&facts);
    if (rc != 0) {
        return -1;
    }
    /* What the writer has not acknowledged is going to be shown now. */
    frames = client_unacked(l->client, &len);
    if (ring_put_frames(l->ring, frames, len, err) != 0) {
        ring_close(l->ring);
        l->ring = NULL;
        return -1;
    }
    return 0;
}

int link_go_away(struct link *l, bool ring, struct error *err)
{
    if (ring && open_ring(l, err) != 0) {
        if (!l->means.root) {
            return -1;
        }
        /* Root is let in, come what may. */
        (void)snprintf(l->why, sizeof l->why, "%.120s", err->text);
    }
    l->away = true;
    l->gap_us = link_now(l);
    if (!l->policy.record) {
        return 0;
    }
    syslog(LOG_AUTHPRIV | LOG_ALERT, "ttytrail: %s (%s): session of uid %ld goes on %s", cause(l),
           l->why, (long)getuid(), l->ring != NULL ? "into a ring" : "unrecorded");
    if (l->full) {
        tell(l, l->ring != NULL ? "the recording's disk is full: this session goes on into a ring "
                                  "of fixed size"
                                : "the recording's disk is full: this session goes on unrecorded");
    } else {
        tell(l, l->ring != NULL ? "the recording is interrupted: this session goes on into a ring "
                                  "of fixed size"
                                : "the recording is interrupted: this session goes on unrecorded");
    }
    l->told = true;
    return 0;
}

static int go(struct link *l, enum link_way way, struct error *err)
{
    struct error why = {.kind = ERR_NONE};

    if ((way == LINK_RING || way == LINK_UNRECORDED) &&
        link_go_away(l, way == LINK_RING, &why) == 0) {
        return 0;
    }
    return why.kind == ERR_NONE
               ? err_set(err, ERR_RETRY, "the recording cannot go on: %s", l->why)
               : err_set(err, ERR_RETRY, "the recording cannot go on: %s; %s", l->why, why.text);
}

int link_go_without(struct link *l, struct error *err)
{
    enum link_way way = link_way(&l->policy, &l->means, false);

    /* Waiting for a writer that does not know this session any more has no end. */
    return way == LINK_WAIT && !l->refused ? 0 : go(l, way, err);
}

int link_note_full(struct link *l, struct error *err)
{
    bool full = client_full(l->client);

    if (full == l->full || !l->opened) {
        return 0;
    }
    l->full = full;
    if (full && !l->away) {
        (void)snprintf(l->why, sizeof l->why, "the disk of the recordings is full");
        return go(l, link_way(&l->policy, &l->means, true), err);
    }
    if (!full && l->away) {
        l->full = true; /* still: that is what the mark names */
        link_found(l);
    }
    return 0;
}

/* ---- while away ---- */

/* Past `away`: to the writer itself. */
static void to_writer(struct link *l, char kind, uint64_t t_us, const char *text, size_t len)
{
    if (!link_leaves_out(l, kind)) {
        (void)client_event(l->client, kind, t_us, text, len, NULL, NULL);
    }
}

static void mark_gap(struct link *l)
{
    uint64_t now = link_now(l);
    char text[96];
    int n = snprintf(text, sizeof text, "%s %.3f-%.3f, %s", l->ring != NULL ? "ring" : "unrecorded",
                     (double)l->gap_us / 1e6, (double)now / 1e6, cause(l));

    to_writer(l, 'm', now, text, (size_t)n);
}

void link_event_away(struct link *l, char kind, uint64_t t_us, const void *bytes, size_t len)
{
    struct error err;

    if (l->ring != NULL && ring_put(l->ring, kind, t_us, bytes, len, &err) != 0) {
        (void)snprintf(l->why, sizeof l->why, "%.120s", err.text);
        l->broken = !l->means.root;
        link_close(l);
    }
    if (kind == 'x' && l->full && l->opened && l->lost_us == 0) {
        mark_gap(l);
        to_writer(l, 'x', t_us, bytes, len);
    }
}

/* ---- coming back ---- */

int link_call(struct link *l, struct error *err)
{
    struct policy ignored;
    struct buf facts;
    int rc = -1;

    if (l->opened) {
        return client_reconnect(l->client, RECONNECT_MS, err);
    }
    buf_init(&facts, FACTS_MAX);
    if (buf_append(&facts, buf_data(l->means.facts), l->means.facts->len, err) == 0 &&
        facts_put_int(&facts, "waited_us", (int64_t)link_now(l), err) == 0) {
        rc = client_open(l->client, &facts, RECONNECT_MS, &ignored, err);
    }
    buf_clear(&facts);
    if (rc != 0) {
        client_drop(l->client);
    }
    return rc;
}

void link_found(struct link *l)
{
    if (l->lost_us != 0) {
        l->lost_us = 0;
        l->sent_seq = 0;
    }
    l->stalled = false;
    l->opened = true;
    if (l->away && client_full(l->client)) {
        l->full = true;
        return;
    }
    if (l->away) {
        mark_gap(l);
        l->away = false;
        l->anchor_us = 0; /* the wall clock, now */
        link_close(l);
        if (l->policy.record) {
            syslog(LOG_AUTHPRIV | LOG_NOTICE,
                   "ttytrail: the writer is back: session of uid %ld is "
                   "recorded again",
                   (long)getuid());
        }
    }
    l->full = client_full(l->client);
    if (l->told) {
        l->told = false;
        tell(l, "recorded again");
    }
    link_send(l);
}
