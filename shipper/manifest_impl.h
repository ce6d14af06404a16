/* SPDX-License-Identifier: Apache-2.0 */
/* What the manifest_*.c files share; no other file includes it. */
#ifndef TTYTRAIL_SHIPPER_MANIFEST_IMPL_H
#define TTYTRAIL_SHIPPER_MANIFEST_IMPL_H

#include "shipper/field.h"
#include "shipper/manifest.h"

/* A walk over an array of objects; ${array} grows with it. */
struct manifest_list {
    struct json *json;
    void *array;
    size_t n, cap, size;
    int (*read)(const struct field_doc *d, void *at, struct error *err);
    struct error *err;
};

/** manifest_list_item: For json_each, with a struct manifest_list; LIMIT above
 * MANIFEST_SEGMENTS_MAX. */
int manifest_list_item(void *user, const struct json_item *item);

/** manifest_put_kind(out, m, err), manifest_read_kind(d, m, err): The host's promise and what it
 * knows of the clock, and what only kinds without segments say. */
int manifest_put_kind(struct buf *out, const struct manifest *m, struct error *err);
int manifest_read_kind(const struct field_doc *d, struct manifest *m, struct error *err);

#endif
