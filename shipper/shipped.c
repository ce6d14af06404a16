/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/shipped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/import_impl.h"
#include "shipper/proof.h"
#include "storage/seal/segment.h"

#define LINE_MAX_BYTES (4U * 1024 * 1024)

/* A session: its entries, copies too, in order of number. */
struct one {
    const struct verify_segment *first;
    size_t n;
    const struct verify_batch *newest; /* whose row counts */
};

struct walk {
    const struct shipped_config *config;
    struct shipped_result *ret;
    struct proof proof;
    struct one *ones; /* those of one batch together, in order of id */
    size_t n;
    const struct one *run; /* of the batch whose rows are read */
    size_t n_run;
    struct buf text; /* of a segment */
    bool stop;       /* a callback said so */
    struct error *err;
};

static void say(const struct walk *w, const uint8_t id[CHAIN_ID], const char *why)
{
    char text[700], hex[2 * CHAIN_ID + 1];

    w->ret->left_out++;
    (void)snprintf(text, sizeof text, "session %s: %s", io_hex(id, CHAIN_ID, hex), why);
    if (w->config->note != NULL) {
        w->config->note(w->config->user, text);
    }
}

/* Whether nothing further can be read; else what is wrong with one session leaves out that one. */
static bool ends_all(const struct walk *w)
{
    return w->stop || w->err->kind == ERR_RETRY || w->err->kind == ERR_DENIED ||
           w->err->kind == ERR_SYSTEM;
}

/* ---- lines ---- */

static int take_lines(struct walk *w, struct cast_reader *r, const struct session_row *row,
                      bool at_end)
{
    struct cast_line line;
    int rc;

    while ((rc = cast_reader_next(r, at_end, &line, w->err)) == 1) {
        if (w->config->line(w->config->user, row, &line, w->err) != 0) {
            w->stop = true;
            return -1;
        }
    }
    return rc;
}

static int read_segment(struct walk *w, struct cast_reader *r, const struct session_row *row,
                        const struct verify_segment *s)
{
    int rc = proof_segment(&w->proof, s, w->err);

    if (rc != 1) {
        return rc < 0 ? -1
                      : err_set(w->err, ERR_CORRUPT, "a segment is not there as it was signed");
    }
    buf_reset(&w->text);
    return segment_unpack(buf_data(&w->proof.bytes), w->proof.bytes.len, SEGMENT_MAX_TEXT, &w->text,
                          w->err) != 0 ||
                   cast_reader_feed(r, buf_data(&w->text), w->text.len, w->err) != 0
               ? -1
               : take_lines(w, r, row, false);
}

/* In order, as far as the chain can be followed from its start. */
static int read_lines(struct walk *w, const struct one *o, const struct session_row *row)
{
    struct cast_reader *r = NULL;
    uint8_t head[CHAIN_HASH];
    int64_t next = 0;
    int rc = cast_reader_new(&r, LINE_MAX_BYTES, w->err);

    chain_start(row->host, row->epoch, row->id, head);
    for (size_t i = 0; rc == 0 && i < o->n; i++) {
        const struct verify_segment *s = &o->first[i];

        if (s->number < next) {
            continue; /* a copy */
        }
        if (s->number > next || memcmp(s->epoch, row->epoch, CHAIN_ID) != 0 ||
            !proof_leads(head, s)) {
            if (i + 1 < o->n && o->first[i + 1].number == next) {
                continue;
            }
            rc = err_set(w->err, ERR_CORRUPT, "its chain cannot be followed to segment %lld",
                         (long long)next);
            break;
        }
        rc = read_segment(w, r, row, s);
        next++;
    }
    if (rc == 0) {
        rc = take_lines(w, r, row, true);
    }
    cast_reader_free(r);
    return rc;
}

/* ---- rows ---- */

static int by_id(const void *key, const void *one)
{
    return memcmp(key, ((const struct one *)one)->first->session, CHAIN_ID);
}

static int take_row(struct walk *w, const struct one *o, const struct field_doc *d)
{
    struct session_row row;
    int rc;

    session_row_init(&row);
    rc = import_row_object(d, o->first->session, &row, w->err);
    if (rc == 0) {
        w->ret->sessions++;
        rc = w->config->session(w->config->user, &row, w->err);
        w->stop = rc < 0;
    }
    if (rc == 1) {
        rc = read_lines(w, o, &row);
    }
    if (rc < 0 && !ends_all(w)) {
        say(w, o->first->session, w->err->text);
        err_clear(w->err);
        rc = 0;
    }
    session_row_clear(&row);
    return rc;
}

static int on_row(void *user, const struct json_item *item)
{
    struct walk *w = user;
    struct field_doc d = {w->proof.w.json, item->value, item->value_len};
    uint8_t id[CHAIN_ID];
    const struct one *o;

    if (strcmp(item->type, "object") != 0 || field_hex(&d, "$.id", id, sizeof id, NULL) != 0) {
        return 0;
    }
    o = bsearch(id, w->run, w->n_run, sizeof *w->run, by_id);
    return o == NULL ? 0 : take_row(w, o, &d);
}

static int read_batch(struct walk *w)
{
    const struct buf *line = &w->proof.w.line;

    if (proof_line(&w->proof, w->run->newest, w->err) != 0) {
        if (ends_all(w)) {
            return -1;
        }
        for (size_t i = 0; i < w->n_run; i++) {
            say(w, w->run[i].first->session, w->err->text);
        }
        err_clear(w->err);
        return 0;
    }
    return json_each(w->proof.w.json, (const char *)buf_data(line), line->len, "$.sessions", on_row,
                     w, w->err);
}

static int by_batch(const void *a, const void *b)
{
    const struct one *x = a, *y = b;

    return x->newest != y->newest ? (x->newest < y->newest ? -1 : 1)
                                  : memcmp(x->first->session, y->first->session, CHAIN_ID);
}

static int collect(struct walk *w)
{
    const struct verify_store *vs = w->proof.vs;
    size_t n = 0;

    w->ones = calloc(vs->n_segments + 1, sizeof *w->ones);
    if (w->ones == NULL) {
        return err_sys(w->err, "allocate");
    }
    for (size_t i = 0; i < vs->n_segments; i++) {
        const struct verify_segment *s = &vs->segments[i];
        struct one *o = n > 0 ? &w->ones[n - 1] : NULL;

        if (o == NULL || memcmp(o->first->session, s->session, CHAIN_ID) != 0) {
            o = &w->ones[n++];
            *o = (struct one){.first = s};
        }
        o->n++;
        if (o->newest == NULL || s->batch->created_us > o->newest->created_us) {
            o->newest = s->batch;
        }
    }
    w->n = n;
    if (n > 0) {
        qsort(w->ones, n, sizeof *w->ones, by_batch);
    }
    return 0;
}

static int then(void *user, struct verify_store *vs, struct error *err)
{
    struct walk *w = user;
    int rc;

    w->err = err;
    if (proof_open(&w->proof, vs, err) != 0) {
        return -1;
    }
    rc = collect(w);
    for (size_t i = 0; rc == 0 && i < w->n; i += w->n_run) {
        w->run = &w->ones[i];
        for (w->n_run = 1; i + w->n_run < w->n && w->run[w->n_run].newest == w->run->newest;
             w->n_run++) {
        }
        rc = read_batch(w);
    }
    free(w->ones);
    proof_close(&w->proof);
    return rc;
}

static void on_line(void *user, const struct verify_line *l)
{
    const struct walk *w = user;
    char text[1024];

    if (verify_is_finding(l->verdict) && w->config->note != NULL) {
        (void)snprintf(text, sizeof text, "%s %s %s%s%s", verify_word(l->verdict), l->what, l->id,
                       l->detail == NULL || *l->detail == '\0' ? "" : ": ",
                       l->detail == NULL ? "" : l->detail);
        w->config->note(w->config->user, text);
    }
}

static void on_progress(void *user, const struct verify_progress *p)
{
    const struct walk *w = user;

    if (w->config->progress != NULL) {
        w->config->progress(w->config->user, p);
    }
}

int shipped_walk(const struct shipped_config *c, struct shipped_result *ret, struct error *err)
{
    struct walk w = {.config = c, .ret = ret};
    struct verify v = {.line = on_line,
                       .progress = on_progress,
                       .user = &w,
                       .scope = c->scope,
                       .pins = c->pins,
                       .jobs = c->jobs,
                       .quick = true,
                       .then = then};
    int rc;

    memset(ret, 0, sizeof *ret);
    buf_init(&w.text, SEGMENT_MAX_TEXT);
    rc = verify_store(&v, c->url, c->conf, err);
    buf_clear(&w.text);
    ret->findings = v.sum.findings;
    ret->hosts = v.sum.hosts;
    return rc;
}
