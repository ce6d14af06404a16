/* SPDX-License-Identifier: Apache-2.0 */
/* What kinds other than "batch" say; docs/FORMAT.md, "Kinds" and "Withheld". */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/manifest_impl.h"

#define HEX(bytes) (2 * sizeof(bytes) + 1)

static int put_withheld(struct buf *out, const struct manifest_withheld *w, struct error *err)
{
    char a[HEX(w->sha256)], b[HEX(w->composition)], c[HEX(w->head)];

    if (buf_printf(out, err,
                   ",\"withheld\":{\"seq\":%" PRId64 ",\"sha256\":\"%s\",\"composition\":\"%s\""
                   ",\"head\":\"%s\",\"segments\":[",
                   w->seq, io_hex(w->sha256, sizeof w->sha256, a),
                   io_hex(w->composition, sizeof w->composition, b),
                   io_hex(w->head, sizeof w->head, c)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < w->n_segments; i++) {
        const struct manifest_segment *s = &w->segments[i];
        char d[HEX(s->session)], e[HEX(s->epoch)];

        if (buf_printf(out, err,
                       "%s{\"session\":\"%s\",\"epoch\":\"%s\",\"seq\":%" PRId64
                       ",\"sha256\":\"%s\"}",
                       i > 0 ? "," : "", io_hex(s->session, sizeof s->session, d),
                       io_hex(s->epoch, sizeof s->epoch, e), s->number,
                       io_hex(s->sha256, sizeof s->sha256, a)) != 0) {
            return -1;
        }
    }
    if (buf_puts(out, "],\"reason\":", err) != 0 || json_string(out, w->reason, err) != 0) {
        return -1;
    }
    return buf_putc(out, '}', err);
}

int manifest_put_kind(struct buf *out, const struct manifest *m, struct error *err)
{
    if (buf_printf(out, err, ",\"heartbeat_h\":%" PRId64 ",\"skew_us\":", m->heartbeat_h) != 0 ||
        (m->skew_known ? buf_printf(out, err, "%" PRId64, m->skew_us)
                       : buf_puts(out, "null", err)) != 0) {
        return -1;
    }
    if (m->previous_boot_id[0] != '\0' &&
        buf_printf(out, err, ",\"boot\":{\"previous_boot_id\":\"%s\",\"began_us\":%" PRId64 "}",
                   m->previous_boot_id, m->began_us) != 0) {
        return -1;
    }
    return m->withheld.seq > 0 ? put_withheld(out, &m->withheld, err) : 0;
}

/* Versions before these members did not write them. */
static int optional_int(const struct field_doc *d, const char *path, int64_t min, int64_t *ret,
                        bool *ret_known, struct error *err)
{
    int rc = field_has(d, path, err);

    if (rc == 1) {
        rc = field_int(d, path, min, ret, err) == 0 ? 1 : -1;
    }
    if (ret_known != NULL) {
        *ret_known = rc == 1;
    }
    return rc < 0 ? -1 : 0;
}

static int read_boot(const struct field_doc *d, struct manifest *m, struct error *err)
{
    uint8_t id[16];

    if (field_hex(d, "$.boot.previous_boot_id", id, sizeof id, err) != 0) {
        return -1;
    }
    (void)io_hex(id, sizeof id, m->previous_boot_id);
    return field_int(d, "$.boot.began_us", 0, &m->began_us, err);
}

static int read_segment(const struct field_doc *d, void *at, struct error *err)
{
    struct manifest_segment *s = at;

    if (field_hex(d, "$.session", s->session, sizeof s->session, err) != 0 ||
        field_hex(d, "$.epoch", s->epoch, sizeof s->epoch, err) != 0 ||
        field_int(d, "$.seq", 0, &s->number, err) != 0) {
        return -1;
    }
    return field_hex(d, "$.sha256", s->sha256, sizeof s->sha256, err);
}

static int read_withheld(const struct field_doc *d, struct manifest *m, struct error *err)
{
    struct manifest_withheld *w = &m->withheld;
    struct manifest_list l = {
        .json = d->json, .size = sizeof *w->segments, .read = read_segment, .err = err};
    int rc;

    if (field_int(d, "$.withheld.seq", 1, &w->seq, err) != 0 ||
        field_hex(d, "$.withheld.sha256", w->sha256, sizeof w->sha256, err) != 0 ||
        field_hex(d, "$.withheld.composition", w->composition, sizeof w->composition, err) != 0 ||
        field_hex(d, "$.withheld.head", w->head, sizeof w->head, err) != 0 ||
        field_text(d, "$.withheld.reason", w->reason, sizeof w->reason, err) != 0) {
        return -1;
    }
    rc = json_each(d->json, d->text, d->len, "$.withheld.segments", manifest_list_item, &l, err);
    w->segments = l.array;
    w->n_segments = l.n;
    if (rc != 0) {
        return err_wrap(err, "withheld.segments[%zu]", l.n);
    }
    if (w->seq >= m->seq) {
        return err_set(err, ERR_CORRUPT, "it withholds a number that is not before its own");
    }
    return 0;
}

int manifest_read_kind(const struct field_doc *d, struct manifest *m, struct error *err)
{
    int withheld;

    if (optional_int(d, "$.heartbeat_h", 0, &m->heartbeat_h, NULL, err) != 0 ||
        optional_int(d, "$.skew_us", INT64_MIN, &m->skew_us, &m->skew_known, err) != 0) {
        return -1;
    }
    if (strcmp(m->kind, "boot") == 0 && read_boot(d, m, err) != 0) {
        return -1;
    }
    withheld = field_has(d, "$.withheld", err);
    if (withheld < 0) {
        return -1;
    }
    if ((withheld == 1) != (strcmp(m->kind, "withheld") == 0)) {
        return err_set(err, ERR_CORRUPT, "kind %s and its member \"withheld\" do not fit", m->kind);
    }
    return withheld == 1 ? read_withheld(d, m, err) : 0;
}
