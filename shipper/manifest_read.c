/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/manifest_impl.h"

static int read_head(const struct field_doc *d, struct manifest *m, struct error *err)
{
    int64_t version = 0;
    char what[16];

    if (field_text(d, "$.ttytrail", what, sizeof what, err) != 0 ||
        field_int(d, "$.version", 1, &version, err) != 0) {
        return -1;
    }
    if (strcmp(what, "manifest") != 0 || version != 1) {
        return err_set(err, ERR_CORRUPT, "of a kind or version we do not know");
    }
    if (field_text(d, "$.kind", m->kind, sizeof m->kind, err) != 0 ||
        field_text(d, "$.host", m->host, sizeof m->host, err) != 0 ||
        field_text(d, "$.host_id", m->host_id, sizeof m->host_id, err) != 0 ||
        field_hex(d, "$.epoch", m->epoch, sizeof m->epoch, err) != 0 ||
        field_int(d, "$.seq", 1, &m->seq, err) != 0 ||
        field_int(d, "$.key", 1, &m->key_number, err) != 0 ||
        field_hex(d, "$.public_key", m->public_key, sizeof m->public_key, err) != 0 ||
        field_int(d, "$.created_us", 1, &m->created_us, err) != 0 ||
        field_text(d, "$.boot_id", m->boot_id, sizeof m->boot_id, err) != 0 ||
        field_hex(d, "$.previous_head", m->previous_head, sizeof m->previous_head, err) != 0 ||
        field_hex(d, "$.head", m->head, sizeof m->head, err) != 0) {
        return -1;
    }
    /* 12 digits of a sequence, four of a year: what goes into names has to fit there. */
    if (!field_host_valid(m->host) || m->seq > 999999999999 ||
        m->created_us > INT64_C(253402300799000000)) {
        return err_set(err, ERR_CORRUPT, "host, seq or created_us out of bounds");
    }
    return 0;
}

static int read_object(const struct field_doc *d, struct manifest *m, struct error *err)
{
    char name[MANIFEST_OBJECT_NAME], expected[MANIFEST_OBJECT_NAME];
    int rc = field_has(d, "$.objects[0]", err);

    if (rc < 0) {
        return -1;
    }
    if (rc == 0) {
        chain_sha256("", 0, m->pack_sha256);
        m->pack_size = 0;
        return 0;
    }
    if (field_text(d, "$.objects[0].name", name, sizeof name, err) != 0 ||
        field_int(d, "$.objects[0].size", 1, &m->pack_size, err) != 0 ||
        field_hex(d, "$.objects[0].sha256", m->pack_sha256, sizeof m->pack_sha256, err) != 0) {
        return -1;
    }
    manifest_pack_name(m, expected);
    if (strcmp(name, expected) != 0 || field_has(d, "$.objects[1]", NULL) != 0) {
        return err_set(err, ERR_CORRUPT, "objects are not the one pack of this batch");
    }
    return 0;
}

int manifest_list_item(void *user, const struct json_item *item)
{
    struct manifest_list *l = user;
    struct field_doc d = {l->json, item->value, item->value_len};

    if (strcmp(item->type, "object") != 0) {
        return err_set(l->err, ERR_CORRUPT, "an element is no object");
    }
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 16 : l->cap * 2;
        void *grown;

        if (l->n >= MANIFEST_SEGMENTS_MAX) {
            return err_set(l->err, ERR_LIMIT, "more than %u elements", MANIFEST_SEGMENTS_MAX);
        }
        grown = realloc(l->array, cap * l->size);
        if (grown == NULL) {
            return err_sys(l->err, "allocate");
        }
        l->array = grown;
        l->cap = cap;
    }
    memset((char *)l->array + l->n * l->size, 0, l->size);
    if (l->read(&d, (char *)l->array + l->n * l->size, l->err) != 0) {
        return -1;
    }
    l->n++;
    return 0;
}

static int read_flag(const struct field_doc *d, const char *path, bool *ret, struct error *err)
{
    struct buf b;
    int rc;

    /* SQLite gives true and false as 1 and 0. */
    buf_init(&b, 16);
    rc = json_text(d->json, d->text, d->len, path, &b, err);
    if (rc == 1 && b.len == 1 && (buf_data(&b)[0] == '1' || buf_data(&b)[0] == '0')) {
        *ret = buf_data(&b)[0] == '1';
        rc = 0;
    } else {
        rc = err_set(err, ERR_CORRUPT, "%s is neither true nor false", path);
    }
    buf_clear(&b);
    return rc;
}

static int read_segment(const struct field_doc *d, void *at, struct error *err)
{
    struct manifest_segment *s = at;
    int rc;

    if (field_hex(d, "$.session", s->session, sizeof s->session, err) != 0 ||
        field_hex(d, "$.epoch", s->epoch, sizeof s->epoch, err) != 0 ||
        field_int(d, "$.seq", 0, &s->number, err) != 0 ||
        field_int(d, "$.offset", 0, &s->offset, err) != 0 ||
        field_int(d, "$.length", 1, &s->length, err) != 0 ||
        field_hex(d, "$.sha256", s->sha256, sizeof s->sha256, err) != 0 ||
        field_hex(d, "$.head", s->head, sizeof s->head, err) != 0 ||
        read_flag(d, "$.final", &s->final, err) != 0 ||
        field_text(d, "$.codec", s->codec, sizeof s->codec, err) != 0) {
        return -1;
    }
    rc = field_has(d, "$.previous", err);
    if (rc <= 0) {
        return rc;
    }
    if (field_int(d, "$.previous.seq", 1, &s->previous_seq, err) != 0) {
        return -1;
    }
    return field_hex(d, "$.previous.epoch", s->previous_epoch, sizeof s->previous_epoch, err);
}

static int read_open(const struct field_doc *d, void *at, struct error *err)
{
    struct manifest_open *o = at;

    if (field_hex(d, "$.session", o->session, sizeof o->session, err) != 0 ||
        field_hex(d, "$.epoch", o->epoch, sizeof o->epoch, err) != 0 ||
        field_int(d, "$.next", 0, &o->next, err) != 0) {
        return -1;
    }
    return field_hex(d, "$.head", o->head, sizeof o->head, err);
}

/* For people, and of any length: cut. */
static int read_cut(const struct field_doc *d, const char *path, char *ret, size_t size,
                    struct error *err)
{
    struct buf b;
    int rc;

    buf_init(&b, d->len + 1);
    rc = json_text(d->json, d->text, d->len, path, &b, err);
    ret[0] = '\0';
    if (rc == 1) {
        size_t n = b.len < size ? b.len : size - 1;

        if (n > 0) {
            memcpy(ret, buf_data(&b), n);
        }
        ret[n] = '\0';
    }
    buf_clear(&b);
    return rc < 0 ? -1 : 0;
}

static int read_session(const struct field_doc *d, void *at, struct error *err)
{
    struct manifest_session *s = at;

    if (field_hex(d, "$.id", s->id, sizeof s->id, err) != 0 ||
        field_hex(d, "$.epoch", s->epoch, sizeof s->epoch, err) != 0 ||
        field_text(d, "$.host", s->host, sizeof s->host, err) != 0 ||
        field_text(d, "$.state", s->state, sizeof s->state, err) != 0 ||
        field_int(d, "$.started_us", INT64_MIN, &s->started_us, err) != 0 ||
        read_cut(d, "$.user", s->user, sizeof s->user, err) != 0) {
        return -1;
    }
    return read_cut(d, "$.title", s->title, sizeof s->title, err);
}

static int read_list(const struct field_doc *d, const char *name, struct manifest_list *l,
                     struct error *err)
{
    char path[64];
    int64_t count = 0;
    int rc;

    l->json = d->json;
    l->err = err;
    (void)snprintf(path, sizeof path, "$.%s", name);
    rc = json_each(d->json, d->text, d->len, path, manifest_list_item, l, err);
    if (rc != 0) {
        return err_wrap(err, "%s[%zu]", name, l->n);
    }
    (void)snprintf(path, sizeof path, "$.counts.%s", name);
    if (field_int(d, path, 0, &count, err) != 0) {
        return -1;
    }
    if ((uint64_t)count != l->n) {
        return err_set(err, ERR_CORRUPT, "%s are not as many as counted", name);
    }
    return 0;
}

static int read_lists(const struct field_doc *d, struct manifest *m, struct error *err)
{
    struct manifest_list segments = {.size = sizeof *m->segments, .read = read_segment};
    struct manifest_list sessions = {.size = sizeof *m->sessions, .read = read_session};
    struct manifest_list open = {.size = sizeof *m->open, .read = read_open};
    int rc = read_list(d, "segments", &segments, err);

    if (rc == 0) {
        rc = read_list(d, "sessions", &sessions, err);
    }
    if (rc == 0) {
        rc = read_list(d, "open", &open, err);
    }
    m->segments = segments.array;
    m->n_segments = segments.n;
    m->sessions = sessions.array;
    m->n_sessions = sessions.n;
    m->open = open.array;
    m->n_open = open.n;
    if (rc == 0 && (m->n_segments > 0) != (m->pack_size > 0)) {
        rc = err_set(err, ERR_CORRUPT, "segments without a pack, or a pack without segments");
    }
    return rc;
}

int manifest_read(struct json *j, const uint8_t *line, size_t len, struct manifest *ret,
                  struct error *err)
{
    struct field_doc d = {j, (const char *)line, len};

    memset(ret, 0, sizeof *ret);
    if (len > MANIFEST_MAX) {
        return err_set(err, ERR_LIMIT, "manifest of %zu bytes", len);
    }
    if (read_head(&d, ret, err) != 0 || manifest_read_kind(&d, ret, err) != 0 ||
        read_object(&d, ret, err) != 0 || read_lists(&d, ret, err) != 0) {
        return err_wrap(err, "manifest");
    }
    return 0;
}

int manifest_signed(const uint8_t *line, size_t len, const uint8_t public_key[KEY_PUBLIC])
{
    uint8_t sig[KEY_SIGNATURE];
    size_t n = 0;

    if (!key_split_line(line, len, &n, sig)) {
        return -1;
    }
    return key_check(public_key, MANIFEST_DOMAIN, line, n, sig) ? 1 : 0;
}
