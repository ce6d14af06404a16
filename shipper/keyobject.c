/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/keyobject.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "shipper/field.h"

#define PREVIOUS_HEAD ",\"previous_sig\":"

void keyobject_name(const char *host, const uint8_t epoch[KEY_EPOCH], int64_t number, char *ret,
                    size_t size)
{
    char hex[2 * KEY_EPOCH + 1];

    (void)snprintf(ret, size, "keys/host=%s/%s-%" PRId64 ".json", host,
                   io_hex(epoch, KEY_EPOCH, hex), number);
}

static int put_instance(struct buf *out, const struct keyobject_about *about, const struct key *key,
                        struct error *err)
{
    const char *id = key_binding(key)->instance;

    if (buf_puts(out, ",\"instance_id\":", err) != 0 ||
        json_string(out, id[0] == '\0' ? NULL : id, err) != 0 ||
        buf_puts(out, ",\"instance\":", err) != 0) {
        return -1;
    }
    if (about->document == NULL || about->rsa2048 == NULL) {
        return buf_puts(out, "null", err);
    }
    if (buf_puts(out, "{\"document\":", err) != 0 ||
        json_string_n(out, buf_data(about->document), about->document->len, err) != 0 ||
        buf_puts(out, ",\"rsa2048\":", err) != 0 ||
        json_string_n(out, buf_data(about->rsa2048), about->rsa2048->len, err) != 0) {
        return -1;
    }
    return buf_putc(out, '}', err);
}

static int write_members(struct buf *out, const struct keyobject_about *about,
                         const struct key *key, const struct key *previous, struct error *err)
{
    char before[2 * KEY_EPOCH + 3] = "null";
    const struct key_binding *b = key_binding(key);
    char epoch[2 * KEY_EPOCH + 1], pub[2 * KEY_PUBLIC + 1];

    if (previous != NULL) {
        (void)snprintf(before, sizeof before, "\"%s\"",
                       io_hex(key_binding(previous)->epoch, KEY_EPOCH, epoch));
    }
    if (buf_puts(out, "{\"ttytrail\":\"key\",\"version\":1,\"host\":", err) != 0 ||
        json_string(out, about->host, err) != 0 ||
        buf_printf(out, err,
                   ",\"epoch\":\"%s\",\"number\":%" PRId64
                   ",\"algorithm\":\"ed25519\",\"public_key\":\"%s\",\"created_us\":%" PRId64
                   ",\"machine_id\":",
                   io_hex(b->epoch, KEY_EPOCH, epoch), b->number,
                   io_hex(key_public(key), KEY_PUBLIC, pub), b->created_us) != 0 ||
        json_string(out, b->machine, err) != 0 || put_instance(out, about, key, err) != 0 ||
        buf_printf(out, err, ",\"from_seq\":%" PRId64 ",\"why\":", about->from_seq) != 0 ||
        json_string(out, about->why, err) != 0) {
        return -1;
    }
    return buf_printf(out, err, ",\"previous_epoch\":%s,\"previous_number\":%" PRId64, before,
                      previous == NULL ? 0 : key_binding(previous)->number);
}

int keyobject_write(struct buf *out, const char *host, const char *why, const struct key *key,
                    const struct key *previous, struct error *err)
{
    const struct keyobject_about about = {.host = host, .why = why, .from_seq = 1};

    return keyobject_put(out, &about, key, previous, err);
}

int keyobject_put(struct buf *out, const struct keyobject_about *about, const struct key *key,
                  const struct key *previous, struct error *err)
{
    char hex[2 * KEY_SIGNATURE + 1];
    uint8_t sig[KEY_SIGNATURE];

    if (write_members(out, about, key, previous, err) != 0) {
        return -1;
    }
    if (previous == NULL) {
        if (buf_puts(out, ",\"previous_key\":null" PREVIOUS_HEAD "null", err) != 0) {
            return -1;
        }
        return key_seal_line(key, KEYOBJECT_DOMAIN, out, err);
    }
    if (buf_printf(out, err, ",\"previous_key\":\"%s\"",
                   io_hex(key_public(previous), KEY_PUBLIC, hex)) != 0 ||
        key_sign(previous, KEYOBJECT_DOMAIN, buf_data(out), out->len, sig, err) != 0 ||
        buf_printf(out, err, PREVIOUS_HEAD "\"%s\"", io_hex(sig, sizeof sig, hex)) != 0) {
        return -1;
    }
    return key_seal_line(key, KEYOBJECT_DOMAIN, out, err);
}

/* Members that versions before them did not write. */
static int read_later_members(const struct field_doc *d, struct keyobject *k, struct error *err)
{
    int from = field_has(d, "$.from_seq", err), before = field_has(d, "$.previous_epoch", err);
    int instance = field_has(d, "$.instance_id", err);

    k->from_seq = 1;
    k->previous_known = before == 1;
    if (from < 0 || before < 0 || instance < 0 ||
        (from == 1 && field_int(d, "$.from_seq", 1, &k->from_seq, err) != 0) ||
        (instance == 1 &&
         field_text(d, "$.instance_id", k->instance, sizeof k->instance, err) != 0)) {
        return -1;
    }
    if (before == 0) {
        return 0;
    }
    if (field_hex(d, "$.previous_epoch", k->previous_epoch, KEY_EPOCH, err) != 0) {
        return -1;
    }
    return field_int(d, "$.previous_number", 1, &k->previous_number, err);
}

/* The signature of the key before covers what stands before the member that holds it. */
static int read_previous(const struct field_doc *d, struct keyobject *k, struct error *err)
{
    uint8_t sig[KEY_SIGNATURE];
    const uint8_t *at;
    int rc = field_has(d, "$.previous_key", err);

    if (rc <= 0) {
        k->chained = false;
        return rc;
    }
    if (field_hex(d, "$.previous_key", k->previous_key, KEY_PUBLIC, err) != 0 ||
        field_hex(d, "$.previous_sig", sig, KEY_SIGNATURE, err) != 0) {
        return -1;
    }
    at = memmem(d->text, d->len, PREVIOUS_HEAD, sizeof PREVIOUS_HEAD - 1);
    if (at == NULL) {
        return err_set(err, ERR_CORRUPT, "previous_sig is absent");
    }
    k->chained = true;
    k->previous_ok = key_check(k->previous_key, KEYOBJECT_DOMAIN, d->text,
                               (size_t)(at - (const uint8_t *)d->text), sig);
    return 0;
}

int keyobject_read(struct json *j, const uint8_t *line, size_t len, struct keyobject *ret,
                   struct error *err)
{
    struct field_doc d = {j, (const char *)line, len};
    struct keyobject k = {.number = 0};
    uint8_t sig[KEY_SIGNATURE];
    char what[16];
    int64_t version = 0;
    size_t signed_len = 0;

    if (len > KEYOBJECT_MAX || !key_split_line(line, len, &signed_len, sig)) {
        return err_set(err, ERR_CORRUPT, "no key object: it does not end with a signature");
    }
    if (field_text(&d, "$.ttytrail", what, sizeof what, err) != 0 ||
        field_int(&d, "$.version", 1, &version, err) != 0 ||
        field_text(&d, "$.host", k.host, sizeof k.host, err) != 0 ||
        field_hex(&d, "$.epoch", k.epoch, KEY_EPOCH, err) != 0 ||
        field_int(&d, "$.number", 1, &k.number, err) != 0 ||
        field_hex(&d, "$.public_key", k.public_key, KEY_PUBLIC, err) != 0) {
        return err_wrap(err, "key object");
    }
    if (strcmp(what, "key") != 0 || version != 1 || !field_host_valid(k.host)) {
        return err_set(err, ERR_CORRUPT, "key object of a kind or version we do not know");
    }
    if (!key_check(k.public_key, KEYOBJECT_DOMAIN, line, signed_len, sig)) {
        return err_set(err, ERR_CORRUPT, "key object is not signed by its own key");
    }
    if (read_later_members(&d, &k, err) != 0 || read_previous(&d, &k, err) != 0) {
        return err_wrap(err, "key object");
    }
    *ret = k;
    return 0;
}
