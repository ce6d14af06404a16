/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/prune_look.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "shipper/place.h"

struct prune_looked {
    uint8_t epoch[CHAIN_ID];
    int64_t seq;
    bool there;
};

int prune_look_open(struct prune_look *l, struct state *state_or_null, struct error *err)
{
    l->state = state_or_null;
    if (state_or_null == NULL) {
        return 0;
    }
    return state_place(l->state, l->place, sizeof l->place, err) != 0 ||
                   (l->place[0] != '\0' && place_there(l->state, l->place, err) != 0)
               ? err_wrap(err, "nothing is pruned")
               : 0;
}

void prune_look_close(struct prune_look *l)
{
    free(l->seen);
    l->seen = NULL;
}

/* NULL: ${fd} has just these bytes; else what is wrong with them. */
static const char *compare(int fd, int64_t size, const uint8_t sha256[CHAIN_HASH])
{
    uint8_t chunk[65536], sha[32];
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;
    struct stat st;
    ssize_t n = 1;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (int64_t)st.st_size != size) {
        EVP_MD_CTX_free(c);
        return "has another size";
    }
    while (ok && n > 0) {
        n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        ok = n >= 0 && EVP_DigestUpdate(c, chunk, (size_t)n) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(c, sha, NULL) == 1;
    EVP_MD_CTX_free(c);
    return !ok ? "cannot be read" : memcmp(sha, sha256, sizeof sha) == 0 ? NULL : "was altered";
}

/* The object as it was confirmed, which may have been under another try's name. */
static int object(const struct prune_look *l, const char *name, int64_t size,
                  const uint8_t sha256[CHAIN_HASH], const char **ret_wrong, struct error *err)
{
    char path[STATE_PLACE_MAX + MANIFEST_OBJECT_NAME + 32];
    int64_t suffix = 0;
    int n, fd;

    if (state_stored_as(l->state, l->place, name, &suffix, err) != 0) {
        return -1;
    }
    n = snprintf(path, sizeof path, "%s/%s", place_dir(l->place), name);
    if (suffix > 0) {
        (void)snprintf(path + n, sizeof path - (size_t)n, ".r%" PRId64, suffix);
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    *ret_wrong =
        fd < 0 ? (errno == ENOENT ? "is not there" : "cannot be read") : compare(fd, size, sha256);
    if (fd >= 0) {
        close(fd);
    }
    return 0;
}

static int tell(struct prune_look *l, const struct state_batch *b, const char *name,
                const char *wrong, struct error *err)
{
    struct state_identity now;
    char text[MANIFEST_OBJECT_NAME + 256], hex[2 * CHAIN_ID + 1], batch[64];

    if (state_identity(l->state, &now, err) != 0) {
        return -1;
    }
    if (now.known && memcmp(now.epoch, b->epoch, CHAIN_ID) == 0) {
        (void)snprintf(batch, sizeof batch, "%" PRId64, b->seq);
    } else {
        (void)snprintf(batch, sizeof batch, "%s/%" PRId64, io_hex(b->epoch, CHAIN_ID, hex), b->seq);
    }
    (void)snprintf(text, sizeof text,
                   "batch %s is not pruned: %s %s; send it once more with 'ttytrail ship --again "
                   "%s'",
                   batch, name, wrong, batch);
    l->missing++;
    if (l->note != NULL) {
        l->note(l->user, text);
    }
    return 0;
}

static int look_at(struct prune_look *l, const struct state_batch *b, bool *ret, struct error *err)
{
    char pack[MANIFEST_OBJECT_NAME], name[MANIFEST_OBJECT_NAME];
    struct manifest m = {.seq = b->seq, .created_us = b->created_us};
    const char *wrong = NULL, *which = pack;
    uint8_t sha[CHAIN_HASH];

    (void)snprintf(m.host, sizeof m.host, "%s", b->host);
    memcpy(m.pack_sha256, b->pack_sha256, CHAIN_HASH);
    manifest_pack_name(&m, pack);
    manifest_name(&m, name);
    chain_sha256(buf_data(&b->line), b->line.len, sha);
    if (object(l, pack, b->pack_size, b->pack_sha256, &wrong, err) != 0) {
        return -1;
    }
    if (wrong == NULL) {
        which = name;
        if (object(l, name, (int64_t)b->line.len, sha, &wrong, err) != 0) {
            return -1;
        }
    }
    *ret = wrong == NULL;
    return wrong == NULL ? 0 : tell(l, b, which, wrong, err);
}

static struct prune_looked *known(struct prune_look *l, const uint8_t *epoch, int64_t seq)
{
    for (size_t i = 0; i < l->n; i++) {
        struct prune_looked *s = &l->seen[(l->last + i) % l->n];

        if (s->seq == seq && memcmp(s->epoch, epoch, CHAIN_ID) == 0) {
            l->last = (size_t)(s - l->seen);
            return s;
        }
    }
    return NULL;
}

static int remember(struct prune_look *l, const uint8_t *epoch, int64_t seq, bool there,
                    struct error *err)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 64 : l->cap * 2;
        struct prune_looked *seen = realloc(l->seen, cap * sizeof *seen);

        if (seen == NULL) {
            return err_sys(err, "allocate");
        }
        l->seen = seen;
        l->cap = cap;
    }
    memcpy(l->seen[l->n].epoch, epoch, CHAIN_ID);
    l->seen[l->n].seq = seq;
    l->seen[l->n].there = there;
    l->last = l->n++;
    return 0;
}

int prune_look(struct prune_look *l, const uint8_t session[CHAIN_ID], int64_t number,
               struct error *err)
{
    const struct prune_looked *s;
    struct state_batch b;
    uint8_t epoch[CHAIN_ID];
    bool there = false;
    int64_t seq = 0;
    int rc;

    if (l->place[0] != '\0' && place_dir(l->place) == NULL) {
        return 1;
    }
    /* What an older ship.db stored, nobody can find again in a directory. */
    rc = l->place[0] == '\0' ? 0 : state_find(l->state, session, number, epoch, &seq, err);
    if (rc != 1) {
        l->unknown += rc == 0;
        return rc;
    }
    s = known(l, epoch, seq);
    if (s != NULL) {
        return s->there;
    }
    rc = state_batch_get(l->state, epoch, seq, &b, err);
    if (rc != 1) {
        return rc;
    }
    rc = b.done ? look_at(l, &b, &there, err) : 0;
    state_batch_clear(&b);
    return rc != 0 || remember(l, epoch, seq, there, err) != 0 ? -1 : there;
}
