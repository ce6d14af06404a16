/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of signed JSON documents, read strictly: what is absent, of the wrong type, out of bounds
 * or spelled in another way than we write it is CORRUPT.  Knows nothing of which documents there
 * are.
 */
#ifndef TTYTRAIL_SHIPPER_FIELD_H
#define TTYTRAIL_SHIPPER_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"

/* A document and its reader. */
struct field_doc {
    struct json *json;
    const char *text;
    size_t len;
};

/** field_text(d, path, ret, size, err): A string of fewer than ${size} bytes without NUL. */
int field_text(const struct field_doc *d, const char *path, char *ret, size_t size,
               struct error *err);
/** field_int(d, path, min, ret, err): An integer of at least ${min}. */
int field_int(const struct field_doc *d, const char *path, int64_t min, int64_t *ret,
              struct error *err);
/** field_hex(d, path, ret, len, err): Exactly ${len} bytes in lower-case hex. */
int field_hex(const struct field_doc *d, const char *path, uint8_t *ret, size_t len,
              struct error *err);
/** field_has(d, path, err): 1 when there is a member that is not null, 0, -1. */
int field_has(const struct field_doc *d, const char *path, struct error *err);
/** field_host_valid(text): Whether it can be a host's name in paths: 1 to 128 of [A-Za-z0-9._:@+-],
 * not beginning with a dot. */
int field_host_valid(const char *text);

#endif
