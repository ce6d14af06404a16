/* SPDX-License-Identifier: Apache-2.0 */
/* A batch's pack: whichever of <name>, <name>.rN, in whichever version, has the signed bytes.  It
 * is read in parts, each segment hashed on its way, so that what is wrong is named, and what is
 * right counts. */
#include <openssl/evp.h>
#include <string.h>

#include "shipper/verify_store.h"

#define PART      (1U * 1024 * 1024)
#define OTHERS    4 /* copies of a wrong size that are looked into: anybody can lay them there */
#define NO_DIGEST "OpenSSL has no SHA-256"

struct reading {
    struct verify_worker *w;
    const struct manifest *m;
    enum verify_verdict *ret;
    EVP_MD_CTX *whole, *one;
    size_t at;   /* segment */
    int64_t got; /* bytes of it */
};

static bool digest(EVP_MD_CTX *c, uint8_t ret[CHAIN_HASH])
{
    unsigned n = CHAIN_HASH;

    return EVP_DigestFinal_ex(c, ret, &n) == 1 && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;
}

static int feed(struct reading *r, const uint8_t *bytes, size_t len, struct error *err)
{
    if (EVP_DigestUpdate(r->whole, bytes, len) != 1) {
        return err_set(err, ERR_SYSTEM, NO_DIGEST);
    }
    while (len > 0 && r->at < r->m->n_segments) {
        const struct manifest_segment *s = &r->m->segments[r->at];
        size_t n = (int64_t)len < s->length - r->got ? len : (size_t)(s->length - r->got);
        uint8_t sha[CHAIN_HASH];

        if (EVP_DigestUpdate(r->one, bytes, n) != 1) {
            return err_set(err, ERR_SYSTEM, NO_DIGEST);
        }
        bytes += n;
        len -= n;
        r->got += (int64_t)n;
        if (r->got < s->length) {
            break;
        }
        if (!digest(r->one, sha)) {
            return err_set(err, ERR_SYSTEM, NO_DIGEST);
        }
        if (memcmp(sha, s->sha256, CHAIN_HASH) == 0) {
            r->ret[r->at] = VERIFY_COMPLETE;
        } else if (r->ret[r->at] != VERIFY_COMPLETE) {
            r->ret[r->at] = VERIFY_ALTERED;
        }
        r->at++;
        r->got = 0;
    }
    return 0;
}

static void count(struct verify_store *vs, size_t n)
{
    (void)pthread_mutex_lock(&vs->lock);
    vs->bytes += n;
    (void)pthread_mutex_unlock(&vs->lock);
}

/* As much of ${f} as the pack is long.  *ret: whether it is the pack. */
static int read_all(struct reading *r, const struct found *f, bool *ret, struct error *err)
{
    uint64_t size = (uint64_t)r->m->pack_size, end = f->size < size ? f->size : size;
    uint8_t sha[CHAIN_HASH];

    *ret = false;
    r->at = 0;
    r->got = 0;
    if (EVP_DigestInit_ex(r->whole, EVP_sha256(), NULL) != 1 ||
        EVP_DigestInit_ex(r->one, EVP_sha256(), NULL) != 1) {
        return err_set(err, ERR_SYSTEM, NO_DIGEST);
    }
    for (uint64_t at = 0; at < end;) {
        size_t n = end - at < PART ? (size_t)(end - at) : PART;
        int rc = verify_fetch_part(r->w, f, at, n, err);

        if (rc != 0) {
            err_clear(rc > 0 ? err : NULL);
            return rc < 0 ? -1 : 0;
        }
        if (feed(r, buf_data(&r->w->part), n, err) != 0) {
            return -1;
        }
        count(r->w->vs, n);
        at += n;
    }
    if (!digest(r->whole, sha)) {
        return err_set(err, ERR_SYSTEM, NO_DIGEST);
    }
    *ret = f->size == size && memcmp(sha, r->m->pack_sha256, CHAIN_HASH) == 0;
    return 0;
}

static void set_all(const struct reading *r, enum verify_verdict verdict)
{
    for (size_t i = 0; i < r->m->n_segments; i++) {
        if (r->ret[i] != VERIFY_COMPLETE) {
            r->ret[i] = verdict;
        }
    }
}

static bool is_other(struct verify_store *vs, const struct found *f)
{
    bool ret;

    (void)pthread_mutex_lock(&vs->lock);
    ret = f->other;
    (void)pthread_mutex_unlock(&vs->lock);
    return ret;
}

/* Those of the right size first; 1 when it was found. */
static int try_copies(struct reading *r, struct verify_batch *b, const char *name, bool sized,
                      struct error *err)
{
    struct found_list *l = &r->w->vs->packs;
    size_t len = strlen(name), others = 0;

    for (size_t i = verify_list_find(l, name); i < l->n && strncmp(l->at[i].name, name, len) == 0;
         i++) {
        struct found *f = &l->at[i];
        bool whole = false;

        if (f->delete_marker || f->base != len || (f->size == (uint64_t)r->m->pack_size) != sized ||
            (!sized && others++ >= OTHERS)) {
            continue;
        }
        b->pack_verdict = f->size < (uint64_t)r->m->pack_size ? VERIFY_TRUNCATED : VERIFY_ALTERED;
        if (sized && r->w->vs->v->quick) {
            whole = true;
        } else {
            set_all(r, b->pack_verdict);
            if (read_all(r, f, &whole, err) != 0) {
                return -1;
            }
            verify_mark(r->w->vs, whole ? &f->same : &f->other);
        }
        if (whole) {
            b->pack = f;
            b->pack_verdict = VERIFY_COMPLETE;
            return 1;
        }
    }
    return 0;
}

/* The signed bytes were found; whether what lies beside them is the same. */
static int beside(struct reading *r, struct verify_batch *b, const char *name, struct error *err)
{
    struct verify_store *vs = r->w->vs;
    struct found_list *l = &vs->packs;
    size_t len = strlen(name);

    for (size_t i = verify_list_find(l, name); i < l->n && strncmp(l->at[i].name, name, len) == 0;
         i++) {
        struct found *f = &l->at[i];
        bool whole = vs->v->quick;

        if (f == b->pack || f->delete_marker || f->base != len || is_other(vs, f)) {
            continue;
        }
        if (f->size != (uint64_t)r->m->pack_size) {
            whole = false;
        } else if (!whole && read_all(r, f, &whole, err) != 0) {
            return -1;
        }
        verify_mark(vs, whole ? &f->same : &f->other);
    }
    return 0;
}

static int look(struct reading *r, struct verify_batch *b, struct error *err)
{
    char name[MANIFEST_OBJECT_NAME];
    int rc;

    manifest_pack_name(r->m, name);
    b->pack_verdict = VERIFY_GAP;
    for (size_t i = 0; i < r->m->n_segments; i++) {
        r->ret[i] = VERIFY_GAP;
    }
    rc = try_copies(r, b, name, true, err);
    if (rc == 0) {
        rc = try_copies(r, b, name, false, err);
    }
    if (rc > 0) {
        set_all(r, VERIFY_COMPLETE);
        verify_mark(r->w->vs, &b->pack->used);
        verify_mark(r->w->vs, &b->pack->same);
        return beside(r, b, name, err);
    }
    return rc < 0 ? -1 : 0;
}

int verify_pack(struct verify_worker *w, struct verify_batch *b, const struct manifest *m,
                enum verify_verdict *ret, struct error *err)
{
    struct reading r = {.w = w, .m = m, .ret = ret};
    int rc = -1;

    if (m->n_segments == 0) {
        return 0;
    }
    r.whole = EVP_MD_CTX_new();
    r.one = EVP_MD_CTX_new();
    if (r.whole == NULL || r.one == NULL) {
        (void)err_set(err, ERR_SYSTEM, NO_DIGEST);
    } else {
        rc = look(&r, b, err);
    }
    EVP_MD_CTX_free(r.whole);
    EVP_MD_CTX_free(r.one);
    return rc;
}
