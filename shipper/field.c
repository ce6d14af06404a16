/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/field.h"

#include <string.h>

#include "common/io.h"

int field_text(const struct field_doc *d, const char *path, char *ret, size_t size,
               struct error *err)
{
    struct buf b;
    int rc;

    buf_init(&b, size);
    rc = json_text(d->json, d->text, d->len, path, &b, err);
    if (rc == 0) {
        rc = err_set(err, ERR_CORRUPT, "%s is absent", path);
    } else if (rc == 1 && (b.len >= size || memchr(buf_data(&b), 0, b.len) != NULL)) {
        rc = err_set(err, ERR_CORRUPT, "%s is too long", path);
    } else if (rc == 1) {
        if (b.len > 0) {
            memcpy(ret, buf_data(&b), b.len);
        }
        ret[b.len] = '\0';
        rc = 0;
    } else if (err != NULL) {
        err->kind = ERR_CORRUPT; /* longer than its bound is as wrong as no JSON */
    }
    buf_clear(&b);
    return rc;
}

int field_int(const struct field_doc *d, const char *path, int64_t min, int64_t *ret,
              struct error *err)
{
    int64_t v = 0;
    int rc = json_int(d->json, d->text, d->len, path, &v, err);

    if (rc < 0) {
        return -1;
    }
    if (rc == 0 || v < min) {
        return err_set(err, ERR_CORRUPT, "%s is %s", path, rc == 0 ? "absent" : "out of bounds");
    }
    *ret = v;
    return 0;
}

int field_hex(const struct field_doc *d, const char *path, uint8_t *ret, size_t len,
              struct error *err)
{
    char text[129], again[129];
    uint8_t bytes[64];

    if (len > sizeof bytes || field_text(d, path, text, sizeof text, err) != 0) {
        return -1;
    }
    if (strlen(text) != 2 * len || io_unhex(text, bytes, len) != 0 ||
        strcmp(io_hex(bytes, len, again), text) != 0) {
        return err_set(err, ERR_CORRUPT, "%s is not %zu bytes in hex", path, len);
    }
    memcpy(ret, bytes, len);
    return 0;
}

int field_has(const struct field_doc *d, const char *path, struct error *err)
{
    struct buf b;
    int rc;

    buf_init(&b, d->len + 1);
    rc = json_text(d->json, d->text, d->len, path, &b, err);
    buf_clear(&b);
    return rc;
}

int field_host_valid(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@+-");

    return n > 0 && n <= 128 && text[n] == '\0' && text[0] != '.';
}
