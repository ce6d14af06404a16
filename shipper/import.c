/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/import.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/import_impl.h"
#include "shipper/proof.h"
#include "shipper/verify_store.h"
#include "storage/seal/segment.h"

struct import {
    const struct import_config *config;
    struct import_result *ret;
    struct verify_store *vs;
    struct proof proof;
    struct control *control;        /* NULL: a dry run */
    const struct verify_batch *bad; /* the last whose pack was found altered */
    struct error *err;
};

/* A session on its way. */
struct one {
    const uint8_t *id;
    const struct verify_segment *first;
    size_t n; /* entries of it, copies too */
    const struct verify_batch *newest;
    struct session_row row;
    uint8_t head[CHAIN_HASH];
    int64_t here, segments, bytes; /* here: segments that were there before */
    bool final;
};

static void note(const struct import *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void note(const struct import *m, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (m->config->note != NULL) {
        m->config->note(m->config->user, text);
    }
}

/* What is wrong with one session keeps only that one out. */
static int leave_out(struct import *m, const struct one *o, const char *why)
{
    char id[2 * CHAIN_ID + 1];

    m->ret->left_out++;
    note(m, "session %s: %s", io_hex(o->id, CHAIN_ID, id), why);
    err_clear(m->err);
    return 0;
}

/* Whether the store or the writer cannot go on at all. */
static bool ends_all(const struct error *err)
{
    return err->kind == ERR_RETRY || err->kind == ERR_DENIED || err->kind == ERR_SYSTEM;
}

/* ---- one session ---- */

static void find_newest(struct one *o)
{
    for (size_t i = 0; i < o->n; i++) {
        const struct verify_batch *b = o->first[i].batch;

        if (o->newest == NULL || b->created_us > o->newest->created_us) {
            o->newest = b;
        }
    }
}

static int read_row(struct import *m, struct one *o)
{
    return proof_line(&m->proof, o->newest, m->err) != 0
               ? -1
               : import_row(m->proof.w.json, (const char *)buf_data(&m->proof.w.line),
                            m->proof.w.line.len, o->id, &o->row, m->err);
}

/* ${state}: as the store has it only when everything has come. */
static int tell_row(struct import *m, struct one *o, bool whole, int64_t *ret_imported)
{
    struct import_session s;

    import_row_values(&o->row, &s);
    if (!whole) {
        s.state = session_state_name(SESSION_OPEN);
        s.exit = "";
        s.ended_us = 0;
    }
    if (m->control == NULL) {
        o->here = 0;
        *ret_imported = 1;
        return 0;
    }
    return control_import_session(m->control, &s, &o->here, ret_imported, m->err);
}

/* Packs were taken by their size: what verify would have said of this one. */
static void report_bad(struct import *m, const struct one *o, const struct verify_segment *s)
{
    const struct verify_batch *b = s->batch;
    const char *object = b->found->name;
    char id[2 * CHAIN_ID + 1], detail[160];
    const struct verify_line l = {.what = "batch",
                                  .id = object,
                                  .verdict = VERIFY_ALTERED,
                                  .detail = detail,
                                  .host = b->key->k.host,
                                  .object = object,
                                  .batch = b->seq,
                                  .segment = s->number,
                                  .offset = s->offset,
                                  .has_segment = true};

    if (b->pack == NULL || m->bad == b) {
        return; /* it was said */
    }
    m->bad = b;
    (void)snprintf(detail, sizeof detail,
                   "its pack's bytes are not what was signed: segment %" PRId64
                   " of session %s, at byte %" PRId64,
                   s->number, io_hex(o->id, CHAIN_ID, id), s->offset);
    verify_report(m->vs->v, &l);
}

/* The bytes, as they were signed, and what is in them. */
static int prove(struct import *m, struct one *o, const struct verify_segment *s,
                 struct import_segment *g)
{
    int rc = proof_segment(&m->proof, s, m->err);

    *g = (struct import_segment){.number = s->number,
                                 .sealed_us = s->batch->created_us,
                                 .final = s->final,
                                 .sha256 = s->sha256,
                                 .head = s->head};
    if (rc == 0) {
        report_bad(m, o, s);
    }
    if (rc != 1) {
        return rc < 0 ? -1
                      : err_set(m->err, ERR_CORRUPT,
                                "segment %" PRId64 " is not there as it was "
                                "signed",
                                s->number);
    }
    g->bytes = buf_data(&m->proof.bytes);
    g->len = m->proof.bytes.len;
    if (import_look(m->proof.w.json, &o->row, g, m->err) != 0) {
        return err_wrap(m->err, "segment %" PRId64, s->number);
    }
    return 0;
}

static int bring_segment(struct import *m, struct one *o, const struct verify_segment *s)
{
    struct import_segment g;

    if (prove(m, o, s, &g) != 0 ||
        (m->control != NULL && control_import_segment(m->control, o->id, &g, m->err) != 0)) {
        return -1;
    }
    o->segments++;
    o->bytes += (int64_t)g.len;
    return 0;
}

/* Without the session's beginning the writer follows the chain alone. */
static bool leads_to(struct one *o, const struct verify_segment *s)
{
    return memcmp(s->epoch, o->row.epoch, CHAIN_ID) == 0 &&
           (o->first[0].number > 0 || proof_leads(o->head, s));
}

/* In order, as far as the chain can be followed from its start. */
static int bring_segments(struct import *m, struct one *o)
{
    int64_t next = 0;

    chain_start(o->row.host, o->row.epoch, o->id, o->head);
    for (size_t i = 0; i < o->n; i++) {
        const struct verify_segment *s = &o->first[i];

        if (s->number < next) {
            continue; /* a copy of the one before */
        }
        if (i == 0 && s->number > 0 && s->number <= o->here) {
            next = s->number; /* what came before is here already */
        }
        if (s->number > next) {
            return err_set(m->err, ERR_CORRUPT,
                           "segment %" PRId64 " is missing, or lies before the days asked for",
                           next);
        }
        if (!leads_to(o, s)) {
            if (i + 1 < o->n && o->first[i + 1].number == s->number) {
                continue;
            }
            return err_set(m->err, ERR_CORRUPT,
                           "segment %" PRId64 " is not what the chain leads to", s->number);
        }
        if (s->number >= o->here && bring_segment(m, o, s) != 0) {
            return -1;
        }
        o->final = s->final;
        next = s->number + 1;
    }
    return 0;
}

/* Nothing is written of a session before one segment of it is proved: a row alone would stand in
 * the way of the real one. */
static int prove_first(struct import *m, struct one *o)
{
    struct import_segment g;

    for (size_t i = 0; i < o->n && o->first[i].number == o->first[0].number; i++) {
        chain_start(o->row.host, o->row.epoch, o->id, o->head);
        if (leads_to(o, &o->first[i])) {
            return prove(m, o, &o->first[i], &g);
        }
    }
    return err_set(m->err, ERR_CORRUPT, "segment %" PRId64 " is not what the chain leads to",
                   o->first[0].number);
}

static int bring(struct import *m, struct one *o)
{
    int64_t imported = 0;

    find_newest(o);
    if (read_row(m, o) != 0 || prove_first(m, o) != 0 || tell_row(m, o, false, &imported) != 0) {
        return -1;
    }
    if (imported == 0) {
        m->ret->known++;
        return 0; /* it was recorded in this very database */
    }
    if (bring_segments(m, o) != 0) {
        return -1;
    }
    if (o->segments == 0) {
        m->ret->known++;
    }
    return o->final ? tell_row(m, o, true, &imported) : 0;
}

static int bring_one(struct import *m, struct one *o)
{
    char id[2 * CHAIN_ID + 1];
    int rc;

    session_row_init(&o->row);
    rc = bring(m, o);
    if (o->segments > 0) {
        m->ret->sessions++;
        m->ret->segments += o->segments;
        m->ret->bytes += o->bytes;
        if (m->config->session != NULL) {
            m->config->session(m->config->user, io_hex(o->id, CHAIN_ID, id), o->row.host,
                               o->row.user, o->segments, o->bytes);
        }
    }
    if (rc != 0 && !ends_all(m->err)) {
        rc = leave_out(m, o, m->err->text);
    }
    session_row_clear(&o->row);
    return rc;
}

static int bring_all(struct import *m)
{
    struct verify_store *vs = m->vs;

    for (size_t i = 0, n; i < vs->n_segments; i += n) {
        struct one o = {.id = vs->segments[i].session, .first = &vs->segments[i]};

        for (n = 1;
             i + n < vs->n_segments && memcmp(vs->segments[i + n].session, o.id, CHAIN_ID) == 0;
             n++) {
        }
        o.n = n;
        if (bring_one(m, &o) != 0) {
            return -1;
        }
    }
    return 0;
}

/* verify's last step: what it found is still there. */
static int then(void *user, struct verify_store *vs, struct error *err)
{
    struct import *m = user;
    const struct import_config *c = m->config;
    int rc = -1;

    m->vs = vs;
    m->err = err;
    if (proof_open(&m->proof, vs, err) != 0) {
        return -1;
    }
    if (c->dry_run || control_open(&m->control, c->socket_or_null, c->db, err) == 0) {
        rc = bring_all(m);
    }
    if (m->control != NULL) {
        control_close(m->control);
    }
    proof_close(&m->proof);
    return rc;
}

static void on_line(void *user, const struct verify_line *l)
{
    const struct import *m = user;

    if (verify_is_finding(l->verdict)) {
        note(m, "%s %s %s%s%s", verify_word(l->verdict), l->what, l->id,
             l->detail == NULL || *l->detail == '\0' ? "" : ": ",
             l->detail == NULL ? "" : l->detail);
    }
}

int import_run(const struct import_config *c, struct import_result *ret, struct error *err)
{
    struct import m = {.config = c, .ret = ret};
    struct verify v = {.line = on_line,
                       .user = &m,
                       .scope = c->scope,
                       .pins = c->pins,
                       .jobs = c->jobs,
                       .quick = true,
                       .then = then};
    int rc;

    memset(ret, 0, sizeof *ret);
    rc = verify_store(&v, c->url, c->conf, err);
    ret->findings = v.sum.findings;
    return rc;
}
