/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/io.h"
#include "shipper/manifest_impl.h"
#include "storage/wire/facts.h"

#define HEX(bytes) (2 * sizeof(bytes) + 1)

void manifest_clear(struct manifest *m)
{
    free(m->segments);
    free(m->sessions);
    free(m->open);
    free(m->withheld.segments);
    memset(m, 0, sizeof *m);
}

void manifest_batch_name(const struct manifest *m, char ret[MANIFEST_BATCH_NAME])
{
    char at[32], sha[HEX(m->pack_sha256)];

    clock_format_utc(m->created_us, "%Y%m%dT%H%M%SZ", at, sizeof at);
    (void)snprintf(ret, MANIFEST_BATCH_NAME, "%012" PRId64 "-%s-%s", m->seq, at,
                   io_hex(m->pack_sha256, sizeof m->pack_sha256, sha));
}

static void object_name(const struct manifest *m, const char *folder, const char *suffix,
                        char ret[MANIFEST_OBJECT_NAME])
{
    char dt[32], batch[MANIFEST_BATCH_NAME];

    clock_format_utc(m->created_us, "%Y-%m-%d", dt, sizeof dt);
    manifest_batch_name(m, batch);
    (void)snprintf(ret, MANIFEST_OBJECT_NAME, "%s/dt=%s/host=%s/%s%s", folder, dt, m->host, batch,
                   suffix);
}

void manifest_pack_name(const struct manifest *m, char ret[MANIFEST_OBJECT_NAME])
{
    object_name(m, "packs", ".cast.gz", ret);
}

void manifest_name(const struct manifest *m, char ret[MANIFEST_OBJECT_NAME])
{
    object_name(m, "batches", ".json", ret);
}

/* ---- heads ---- */

void manifest_genesis(const char *host, const uint8_t epoch[CHAIN_ID], uint8_t ret[CHAIN_HASH])
{
    char text[MANIFEST_HOST + 128], hex[2 * CHAIN_ID + 1];
    int n = snprintf(text, sizeof text, "ttytrail batches 1\n%s\n%s\n", host,
                     io_hex(epoch, CHAIN_ID, hex));

    chain_sha256(text, (size_t)n, ret);
}

/* The composition: lines of text, so that printf and sha256sum can make the same. */
static int put_composition(struct buf *out, const struct manifest *m, struct error *err)
{
    char a[HEX(m->epoch)], b[HEX(m->epoch)], c[HEX(m->head)], d[HEX(m->head)];

    if (buf_printf(out, err,
                   "ttytrail batch 1\n%s\n%s\n%s\n%" PRId64 "\n%" PRId64 "\n%s %" PRId64 "\n",
                   m->kind, m->host, io_hex(m->epoch, sizeof m->epoch, a), m->seq, m->created_us,
                   io_hex(m->pack_sha256, sizeof m->pack_sha256, c), m->pack_size) != 0) {
        return -1;
    }
    if (m->withheld.seq > 0 && buf_printf(out, err, "withheld %" PRId64 " %s %s\n", m->withheld.seq,
                                          io_hex(m->withheld.sha256, CHAIN_HASH, c),
                                          io_hex(m->withheld.head, CHAIN_HASH, d)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < m->n_segments; i++) {
        const struct manifest_segment *s = &m->segments[i];

        if (buf_printf(out, err, "%s %s %" PRId64 " %" PRId64 " %" PRId64 " %s %s %d\n",
                       io_hex(s->session, sizeof s->session, a),
                       io_hex(s->epoch, sizeof s->epoch, b), s->number, s->offset, s->length,
                       io_hex(s->sha256, sizeof s->sha256, c), io_hex(s->head, sizeof s->head, d),
                       s->final ? 1 : 0) != 0) {
            return -1;
        }
    }
    return 0;
}

int manifest_composition(const struct manifest *m, uint8_t ret[CHAIN_HASH], struct error *err)
{
    struct buf text;
    int rc;

    buf_init(&text, MANIFEST_MAX);
    rc = put_composition(&text, m, err);
    if (rc == 0) {
        chain_sha256(buf_data(&text), text.len, ret);
    }
    buf_clear(&text);
    return rc;
}

int manifest_head(const struct manifest *m, uint8_t ret[CHAIN_HASH], struct error *err)
{
    uint8_t both[2 * CHAIN_HASH];

    memcpy(both, m->previous_head, CHAIN_HASH);
    if (manifest_composition(m, both + CHAIN_HASH, err) != 0) {
        return -1;
    }
    chain_sha256(both, sizeof both, ret);
    return 0;
}

/* ---- the line ---- */

/* argv as the recorder wrote it, if it is JSON; anything else as the text it is. */
static int put_command(struct buf *out, struct json *j, const char *command, struct error *err)
{
    struct buf b;
    int rc;

    if (command[0] == '\0') {
        return buf_puts(out, "null", err);
    }
    buf_init(&b, 1U << 20);
    rc = json_text(j, command, strlen(command), "$", &b, NULL);
    if (command[0] == '[' && rc == 1) {
        rc = buf_append(out, buf_data(&b), b.len, err);
    } else {
        rc = json_string(out, command, err);
    }
    buf_clear(&b);
    return rc;
}

static int put_facts(struct buf *out, const struct buf *facts, struct error *err)
{
    struct facts f;
    const uint8_t *value;
    size_t at = 0, len;
    char key[65];
    bool first = true;

    if (buf_putc(out, '{', err) != 0) {
        return -1;
    }
    if (facts->len == 0 || facts_parse(buf_data(facts), facts->len, &f, NULL) != 0) {
        return buf_putc(out, '}', err);
    }
    while (facts_next(&f, &at, key, &value, &len)) {
        if ((!first && buf_putc(out, ',', err) != 0) || json_string(out, key, err) != 0 ||
            buf_putc(out, ':', err) != 0 || json_string_n(out, value, len, err) != 0) {
            return -1;
        }
        first = false;
    }
    return buf_putc(out, '}', err);
}

struct text_member {
    const char *name, *value;
};

static int put_texts(struct buf *out, const struct text_member *t, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (buf_printf(out, err, ",\"%s\":", t[i].name) != 0 ||
            json_string(out, t[i].value == NULL ? "" : t[i].value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int manifest_session_put(struct buf *out, struct json *j, const struct session_row *s,
                         struct error *err)
{
    char id[HEX(s->id)], epoch[HEX(s->epoch)];
    const struct text_member texts[] = {
        {"host", s->host}, {"kind", s->kind}, {"user", s->user},   {"title", s->title},
        {"tty", s->tty},   {"exit", s->exit}, {"flags", s->flags},
    };

    if ((out->len > 0 && buf_putc(out, ',', err) != 0) ||
        buf_printf(out, err,
                   "{\"id\":\"%s\",\"epoch\":\"%s\",\"state\":\"%s\",\"uid\":%" PRId64
                   ",\"started_us\":%" PRId64 ",\"ended_us\":%" PRId64 ",\"cols\":%" PRId64
                   ",\"rows\":%" PRId64 ",\"redactions\":%" PRId64,
                   io_hex(s->id, sizeof s->id, id), io_hex(s->epoch, sizeof s->epoch, epoch),
                   session_state_name(s->state), s->uid, s->started_us, s->ended_us, s->cols,
                   s->rows, s->redactions) != 0 ||
        put_texts(out, texts, sizeof texts / sizeof texts[0], err) != 0 ||
        buf_puts(out, ",\"command\":", err) != 0 ||
        put_command(out, j, s->command == NULL ? "" : s->command, err) != 0 ||
        buf_puts(out, ",\"facts\":", err) != 0 || put_facts(out, &s->facts, err) != 0) {
        return -1;
    }
    return buf_putc(out, '}', err);
}

static int put_head(struct buf *out, const struct manifest *m, struct error *err)
{
    char a[HEX(m->epoch)], b[HEX(m->public_key)], c[HEX(m->head)], d[HEX(m->head)], at[32];

    clock_format_utc(m->created_us, "%Y-%m-%dT%H:%M:%SZ", at, sizeof at);
    if (buf_printf(out, err, "{\"ttytrail\":\"manifest\",\"version\":1,\"kind\":\"%s\",\"host\":",
                   m->kind) != 0 ||
        json_string(out, m->host, err) != 0 || buf_puts(out, ",\"host_id\":", err) != 0 ||
        json_string(out, m->host_id, err) != 0) {
        return -1;
    }
    return buf_printf(out, err,
                      ",\"epoch\":\"%s\",\"seq\":%" PRId64 ",\"key\":%" PRId64
                      ",\"public_key\":\"%s\",\"created\":\"%s\",\"created_us\":%" PRId64
                      ",\"boot_id\":\"%s\",\"previous_head\":\"%s\",\"head\":\"%s\"",
                      io_hex(m->epoch, sizeof m->epoch, a), m->seq, m->key_number,
                      io_hex(m->public_key, sizeof m->public_key, b), at, m->created_us, m->boot_id,
                      io_hex(m->previous_head, sizeof m->previous_head, c),
                      io_hex(m->head, sizeof m->head, d));
}

static int put_objects(struct buf *out, const struct manifest *m, struct error *err)
{
    char name[MANIFEST_OBJECT_NAME], sha[HEX(m->pack_sha256)];

    if (m->n_segments == 0) {
        return buf_puts(out, ",\"objects\":[]", err);
    }
    manifest_pack_name(m, name);
    return buf_printf(out, err,
                      ",\"objects\":[{\"name\":\"%s\",\"size\":%" PRId64 ",\"sha256\":\"%s\"}]",
                      name, m->pack_size, io_hex(m->pack_sha256, sizeof m->pack_sha256, sha));
}

static int put_segment(struct buf *out, const struct manifest_segment *s, struct error *err)
{
    char a[HEX(s->session)], b[HEX(s->epoch)], c[HEX(s->sha256)], d[HEX(s->head)];
    char previous[128] = "null";

    if (s->previous_seq > 0) {
        char e[HEX(s->previous_epoch)];

        (void)snprintf(previous, sizeof previous, "{\"epoch\":\"%s\",\"seq\":%" PRId64 "}",
                       io_hex(s->previous_epoch, sizeof s->previous_epoch, e), s->previous_seq);
    }
    return buf_printf(
        out, err,
        "{\"session\":\"%s\",\"epoch\":\"%s\",\"seq\":%" PRId64 ",\"offset\":%" PRId64
        ",\"length\":%" PRId64 ",\"sha256\":\"%s\",\"head\":\"%s\",\"final\":%s,\"codec\":\"%s\","
        "\"previous\":%s}",
        io_hex(s->session, sizeof s->session, a), io_hex(s->epoch, sizeof s->epoch, b), s->number,
        s->offset, s->length, io_hex(s->sha256, sizeof s->sha256, c),
        io_hex(s->head, sizeof s->head, d), s->final ? "true" : "false", s->codec, previous);
}

static int put_lists(struct buf *out, const struct manifest *m, const struct buf *sessions,
                     struct error *err)
{
    if (buf_puts(out, ",\"segments\":[", err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < m->n_segments; i++) {
        if ((i > 0 && buf_putc(out, ',', err) != 0) ||
            put_segment(out, &m->segments[i], err) != 0) {
            return -1;
        }
    }
    if (buf_puts(out, "],\"sessions\":[", err) != 0 ||
        (sessions->len > 0 && buf_append(out, buf_data(sessions), sessions->len, err) != 0) ||
        buf_puts(out, "],\"open\":[", err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < m->n_open; i++) {
        const struct manifest_open *o = &m->open[i];
        char a[HEX(o->session)], b[HEX(o->epoch)], c[HEX(o->head)];

        if (buf_printf(out, err,
                       "%s{\"session\":\"%s\",\"epoch\":\"%s\",\"next\":%" PRId64
                       ",\"head\":\"%s\"}",
                       i > 0 ? "," : "", io_hex(o->session, sizeof o->session, a),
                       io_hex(o->epoch, sizeof o->epoch, b), o->next,
                       io_hex(o->head, sizeof o->head, c)) != 0) {
            return -1;
        }
    }
    return buf_putc(out, ']', err);
}

int manifest_write(struct buf *out, const struct manifest *m, const struct buf *sessions,
                   const struct key *key, struct error *err)
{
    if (put_head(out, m, err) != 0 || manifest_put_kind(out, m, err) != 0 ||
        put_objects(out, m, err) != 0 || put_lists(out, m, sessions, err) != 0 ||
        buf_printf(out, err,
                   ",\"counts\":{\"segments\":%zu,\"sessions\":%zu,\"open\":%zu,\"bytes\":%" PRId64
                   "},\"versions\":{\"ttytrail\":\"%s\",\"format\":1}",
                   m->n_segments, m->n_sessions, m->n_open, m->pack_size, TTYTRAIL_VERSION) != 0) {
        return -1;
    }
    return key_seal_line(key, MANIFEST_DOMAIN, out, err);
}
