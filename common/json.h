/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: writing (common/json_write.h) and reading with SQLite's JSON functions (never by hand; see
 * docs/DESIGN.md section 3 for the two exceptions).  Paths are SQLite's: "$.a.b[0]".
 */
#ifndef TTYTRAIL_COMMON_JSON_H
#define TTYTRAIL_COMMON_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json_write.h"

struct json;

/** json_open(ret, err): A reader, to be used for any number of documents. */
int json_open(struct json **ret, struct error *err);
void json_close(struct json *j);

/** json_text(j, doc, len, path, ret, err): Append the text (or number, or JSON of an object or
 * array) at
 * ${path} to ${ret}: 1 found, 0 absent or null, -1 error (CORRUPT when ${doc} is no JSON). */
int json_text(struct json *j, const char *doc, size_t len, const char *path, struct buf *ret,
              struct error *err);
/** json_int(j, doc, len, path, ret, err): As json_text, for an integer; CORRUPT if it is none. */
int json_int(struct json *j, const char *doc, size_t len, const char *path, int64_t *ret,
             struct error *err);

typedef int json_many_fn(void *user, size_t which, const char *text, size_t len);
/** json_many(j, doc, len, paths, n, cb, user, err): As json_text for many paths in one reading of
 * ${doc}: ${cb} for each that is there (true is "1", false "0"); its non-zero result ends it and is
 * returned.  ${paths}: a static table, which is known by its address; at most JSON_MANY of them. */
#define JSON_MANY 128U
int json_many(struct json *j, const char *doc, size_t len, const char *const *paths, size_t n,
              json_many_fn *cb, void *user, struct error *err);

struct json_item {
    const char *key;   /* member name; "" in an array */
    const char *type;  /* "text", "integer", "real", "true", "false", "null", "object", "array" */
    const char *value; /* text, or the JSON of an object or array */
    size_t value_len;
};
/** json_each(j, doc, len, path, cb, user, err): ${cb} for every element of the array or object at
 * ${path}, in order; its non-zero result ends the walk and is returned.  Absent: no call. */
int json_each(struct json *j, const char *doc, size_t len, const char *path,
              int (*cb)(void *user, const struct json_item *item), void *user, struct error *err);

#endif
