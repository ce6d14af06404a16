/* SPDX-License-Identifier: Apache-2.0 */
/* What commands may ask, with rights by SO_PEERCRED: all of these are for root and our own user. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

#define SEAL_NOW_WAIT_US 20000000

/* One or many sessions, in one transaction. */
static int on_shipped(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    if (f->len == 0 || f->len % SHIPPED_ENTRY != 0 || f->len > SHIPPED_MANY * SHIPPED_ENTRY) {
        return err_set(err, ERR_CORRUPT, "SHIPPED of %lu bytes", (unsigned long)f->len);
    }
    if (store_begin(w->store, err) != 0) {
        return -1;
    }
    for (size_t at = 0; at < f->len; at += SHIPPED_ENTRY) {
        if (store_session_shipped(w->store, f->body + at, io_get_be32(f->body + at + 16), err) !=
            0) {
            store_rollback(w->store);
            return -1;
        }
    }
    if (store_commit(w->store, err) != 0) {
        store_rollback(w->store);
        return -1;
    }
    peer_send(p, FRAME_DONE, NULL, 0);
    return 0;
}

static int on_seal_now(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    struct wsession *one = NULL;

    if (f->len != 0 && f->len != 16) {
        return err_set(err, ERR_CORRUPT, "SEAL_NOW of %lu bytes", (unsigned long)f->len);
    }
    if (w->seal_now.peer != NULL) {
        return err_set(err, ERR_RETRY, "somebody else is sealing");
    }
    recover_sweep(w);
    if (f->len == 16) {
        one = writer_find(w, f->body);
        if (one == NULL) {
            return err_set(err, ERR_DENIED, "this writer does not hold that session");
        }
    }
    for (struct wsession *s = w->sessions; s != NULL; s = s->next) {
        s->seal_asked = s->seal_asked || one == NULL || one == s;
    }
    w->seal_now.peer = p;
    w->seal_now.one = one;
    w->seal_now.until_us = clock_boot_us() + SEAL_NOW_WAIT_US;
    w->commit_now = true;
    return 0;
}

static bool still_sealing(const struct writer *w, const struct wsession *one)
{
    for (const struct wsession *s = w->sessions; s != NULL; s = s->next) {
        bool due = s->seal_asked && (s->n_tails > 0 || s->info.carry.len > 0);

        if ((one == NULL || one == s) && (s->sealing || due || (s->closed && !s->info.final))) {
            return true;
        }
    }
    return false;
}

void control_progress(struct writer *w)
{
    struct peer *p = w->seal_now.peer;
    struct error err;
    struct buf body;
    int64_t horizon = 0;

    if (p == NULL ||
        (still_sealing(w, w->seal_now.one) && clock_boot_us() < w->seal_now.until_us)) {
        return;
    }
    w->seal_now.peer = NULL;
    buf_init(&body, FRAME_MAX_BODY);
    /* The horizon first, then the sync: what lies below it is durable afterwards (PITFALLS 17). */
    if (store_horizon(w->store, &horizon, &err) != 0 || store_sync(w->store, &err) != 0 ||
        facts_put_int(&body, "horizon", horizon, &err) != 0) {
        peer_refuse(p, err.kind, err.text);
    } else {
        peer_send(p, FRAME_DONE, buf_data(&body), body.len);
    }
    buf_clear(&body);
}

static int on_epoch(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    char why[256], hex[33];
    uint8_t epoch[16];

    if (getrandom(epoch, sizeof epoch, 0) != (ssize_t)sizeof epoch) {
        return err_sys(err, "random numbers");
    }
    io_hex(epoch, sizeof epoch, hex);
    log_escape((const char *)f->body, f->len, why, sizeof why);
    if (store_begin(w->store, err) != 0) {
        return -1;
    }
    if (store_meta_set(w->store, "epoch", hex, err) != 0 ||
        store_meta_set(w->store, "epoch_why", why, err) != 0 || store_commit(w->store, err) != 0) {
        store_rollback(w->store);
        return -1;
    }
    /* What is signed in its name must not outlive it: durable before anybody hears of it. */
    if (store_sync(w->store, err) != 0) {
        return -1;
    }
    memcpy(w->epoch, epoch, sizeof epoch);
    log_line(LOG_LEVEL_INFO, "epoch-begins epoch=%s why=\"%s\"", hex, why);
    peer_send(p, FRAME_DONE, NULL, 0);
    return 0;
}

static int on_import(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    struct buf body;
    int rc;

    if (opening_session(w, p, f, true, err) != 0) {
        return -1;
    }
    buf_init(&body, FRAME_MAX_BODY);
    rc = facts_put(&body, "session", p->session->info.id, 16, err);
    if (rc == 0) {
        peer_send(p, FRAME_DONE, buf_data(&body), body.len);
    }
    buf_clear(&body);
    return rc;
}

int control_request(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    if (p->uid != 0 && p->uid != geteuid()) {
        return err_set(err, ERR_DENIED, "this is for root and the writer's own user");
    }
    p->state = PEER_CONTROL;
    switch (f->type) {
    case FRAME_SHIPPED:
        return on_shipped(w, p, f, err);
    case FRAME_SEAL_NOW:
        return on_seal_now(w, p, f, err);
    case FRAME_EPOCH:
        return on_epoch(w, p, f, err);
    case FRAME_IMPORT:
        return on_import(w, p, f, err);
    case FRAME_PRUNE:
        return control_on_prune(w, p, f, err);
    case FRAME_VERDICT:
        return journal_verdict(w, p, f, err);
    case FRAME_GIVE_BACK:
        return control_on_give_back(w, p, f, err);
    case FRAME_IMPORT_SESSION:
        return control_on_import_session(w, p, f, err);
    case FRAME_IMPORT_SEGMENT:
        return control_on_import_segment(w, p, f, err);
    default:
        return err_set(err, ERR_USAGE, "not built yet");
    }
}
