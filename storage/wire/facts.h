/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts: named values that travel at a session's opening (who, what, which terminal) and back (the
 * policy).  A list of u8 key length, key, u32 value length, value; keys are [a-z0-9_.]{1,64}, no
 * key twice, FACTS_MAX bytes in all.  Knows nothing of what they mean.  Layout: docs/FORMAT.md,
 * "Facts".
 */
#ifndef TTYTRAIL_WIRE_FACTS_H
#define TTYTRAIL_WIRE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define FACTS_MAX       61440U
#define FACTS_COUNT_MAX 256

/* A borrowed, checked list. */
struct facts {
    const uint8_t *bytes;
    size_t len;
};

/** facts_put(out, key, value, len, err): Append one fact to ${out}.  LIMIT above FACTS_MAX. */
int facts_put(struct buf *out, const char *key, const void *value, size_t len, struct error *err);
int facts_put_text(struct buf *out, const char *key, const char *value, struct error *err);
int facts_put_int(struct buf *out, const char *key, int64_t value, struct error *err);

/** facts_parse(bytes, len, ret, err): Check the whole list; CORRUPT names what is wrong. */
int facts_parse(const uint8_t *bytes, size_t len, struct facts *ret, struct error *err);
/** facts_next(f, at, key, value, len): Walk: start with *at = 0; false at the end.  ${key} takes up
 * to 65 bytes. */
bool facts_next(const struct facts *f, size_t *at, char key[65], const uint8_t **value,
                size_t *len);
/** facts_get(f, key, value, len): False when ${key} is absent. */
bool facts_get(const struct facts *f, const char *key, const uint8_t **value, size_t *len);
/** facts_text(f, key, out, size): As a C string, cut at ${size}; "" when absent; returns ${out}. */
char *facts_text(const struct facts *f, const char *key, char *out, size_t size);
/** facts_int(f, key, fallback): ${fallback} when absent or no integer. */
int64_t facts_int(const struct facts *f, const char *key, int64_t fallback);

#endif
