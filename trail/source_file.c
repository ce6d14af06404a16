/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "trail/source_impl.h"
#include "trail/split.h"

#define STORED_MAX (UINT64_C(256) << 20) /* CloudTrail's own bound is 50 MB */
#define AT_ONCE    (UINT64_C(2) << 20)   /* larger ones come in pieces of that size */

static int to_split(void *user, const void *bytes, size_t len, struct error *err)
{
    return split_feed(user, bytes, len, err);
}

static int in_pieces(struct depot *depot, struct unpack *unpack, const struct depot_item *item,
                     struct buf *packed, struct error *err)
{
    int rc = 0;

    for (uint64_t at = 0; rc == 0 && at < item->size; at += AT_ONCE) {
        size_t n = (size_t)(item->size - at < AT_ONCE ? item->size - at : AT_ONCE);

        buf_reset(packed);
        rc = depot_get_range(depot, item->name, NULL, at, n, packed, err) != 0
                 ? -1
                 : unpack_feed(unpack, buf_data(packed), n, err);
    }
    return rc;
}

static int whole(struct depot *depot, struct unpack *unpack, const struct depot_item *item,
                 struct buf *packed, struct error *err)
{
    buf_reset(packed);
    return depot_get(depot, item->name, NULL, AT_ONCE, packed, err) != 0
               ? -1
               : unpack_whole(unpack, buf_data(packed), packed->len, err);
}

/* What is wrong with one file alone; all else would go wrong with the next one, too. */
static bool of_this_file(const struct error *err)
{
    return err->kind == ERR_CORRUPT || err->kind == ERR_LIMIT ||
           (err->kind == ERR_SYSTEM && (err->code == ENOENT || err->code == ELOOP));
}

static int failed(struct keeper *k, const struct depot_item *item, const struct error *why)
{
    k->stats->failed++;
    keeper_warn(k, "%s: not read: %s", item->name, why->text);
    return 1;
}

int source_file(struct keeper *k, struct depot *depot, struct unpack *unpack,
                const struct depot_item *item, struct buf *packed, struct error *err)
{
    struct error why = {.kind = ERR_NONE};
    struct split split;
    uint8_t sha256[32];
    uint64_t bytes = 0;
    int rc = -1, end, cut;

    if (item->size > STORED_MAX) {
        err_set(&why, ERR_LIMIT, "%" PRIu64 " bytes", item->size);
        return failed(k, item, &why);
    }
    k->object = item->name;
    k->err = err;
    err_clear(err);
    split_begin(&split, k->any, keeper_take, k);
    unpack_begin(unpack, to_split, &split);
    rc = item->size <= AT_ONCE ? whole(depot, unpack, item, packed, &why)
                               : in_pieces(depot, unpack, item, packed, &why);
    end = unpack_end(unpack, &bytes, sha256, rc == 0 ? &why : NULL);
    cut = split_end(&split, rc == 0 && end == 0 ? &why : NULL);
    k->stats->stored_bytes += item->size;
    k->stats->bytes += bytes;
    k->stats->records += split.records;
    k->stats->too_long += split.too_long;
    if (split.too_long > 0) {
        keeper_warn(k, "%s: %" PRIu64 " records of more than %u bytes are left out", item->name,
                    split.too_long, SPLIT_MAX);
    }
    if (err != NULL && err->kind != ERR_NONE) {
        return -1; /* the store's */
    }
    if (rc != 0 || end != 0 || cut != 0) {
        if (of_this_file(&why)) {
            return failed(k, item, &why);
        }
        if (err != NULL) {
            *err = why;
        }
        return -1;
    }
    k->stats->read++;
    return trail_store_file(k->store, item->name, sha256, err);
}
