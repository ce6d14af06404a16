/* SPDX-License-Identifier: Apache-2.0 */
/* Findings wait until everything was looked at, so that their order does not depend on threads. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/verify_store.h"

struct verify_found_line {
    char *id, *detail, *host, *object;
    const char *what;
    enum verify_verdict verdict;
    int64_t batch, segment, offset;
    bool has_segment;
};

int verify_grow(void **array, size_t *cap, size_t n, size_t size, struct error *err)
{
    size_t more = *cap == 0 ? 64 : *cap * 2;
    void *p;

    if (n < *cap) {
        return 0;
    }
    p = reallocarray(*array, more, size);
    if (p == NULL) {
        return err_sys(err, "allocate");
    }
    *array = p;
    *cap = more;
    return 0;
}

static void clear(struct verify_found_line *l)
{
    free(l->id);
    free(l->detail);
    free(l->host);
    free(l->object);
}

static char *copy(const char *text, bool *bad)
{
    char *ret = text == NULL ? NULL : strdup(text);

    *bad |= text != NULL && ret == NULL;
    return ret;
}

int verify_finding(struct verify_store *vs, const struct verify_where *where,
                   enum verify_verdict verdict, struct error *err, const char *fmt, ...)
{
    struct verify_found_line l = {.what = where->what,
                                  .verdict = verdict,
                                  .batch = where->batch,
                                  .segment = where->segment,
                                  .offset = where->offset,
                                  .has_segment = where->has_segment};
    char detail[512];
    bool bad = false;
    va_list ap;
    int rc = -1;

    va_start(ap, fmt);
    (void)vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    l.id = copy(where->id, &bad);
    l.host = copy(where->host, &bad);
    l.object = copy(where->object, &bad);
    l.detail = copy(detail, &bad);
    (void)pthread_mutex_lock(&vs->lock);
    if (bad) {
        (void)err_sys(err, "allocate");
    } else {
        void *at = vs->findings;

        rc = verify_grow(&at, &vs->findings_cap, vs->n_findings, sizeof l, err);
        vs->findings = at;
    }
    if (rc == 0) {
        vs->findings[vs->n_findings++] = l;
    }
    (void)pthread_mutex_unlock(&vs->lock);
    if (rc != 0) {
        clear(&l);
    }
    return rc;
}

static int by_place(const void *a, const void *b)
{
    const struct verify_found_line *x = a, *y = b;
    int c = strcmp(x->what, y->what);

    c = c != 0 ? c : strcmp(x->id, y->id);
    c = c != 0 ? c : (x->batch > y->batch) - (x->batch < y->batch);
    c = c != 0 ? c : (int)x->verdict - (int)y->verdict;
    return c != 0 ? c : strcmp(x->detail, y->detail);
}

void verify_findings_report(struct verify_store *vs)
{
    if (vs->n_findings > 0) {
        qsort(vs->findings, vs->n_findings, sizeof *vs->findings, by_place);
    }
    for (size_t i = 0; i < vs->n_findings; i++) {
        const struct verify_found_line *f = &vs->findings[i];
        const struct verify_line l = {.what = f->what,
                                      .id = f->id,
                                      .verdict = f->verdict,
                                      .detail = f->detail,
                                      .host = f->host,
                                      .object = f->object,
                                      .batch = f->batch,
                                      .segment = f->segment,
                                      .offset = f->offset,
                                      .has_segment = f->has_segment};

        verify_report(vs->v, &l);
    }
    verify_findings_clear(vs);
}

void verify_findings_cut(struct verify_store *vs, size_t n)
{
    while (vs->n_findings > n) {
        clear(&vs->findings[--vs->n_findings]);
    }
}

void verify_findings_clear(struct verify_store *vs)
{
    verify_findings_cut(vs, 0);
    free(vs->findings);
    vs->findings = NULL;
    vs->n_findings = vs->findings_cap = 0;
}
