/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An indented JSON document, written from front to back into a struct buf.  The first error sticks:
 * calls after it do nothing, and json_doc_end tells it.  Members have a key, elements of arrays
 * have NULL. Knows nothing of what is written, and reads nothing.
 */
#ifndef TTYTRAIL_COMMON_JSON_DOC_H
#define TTYTRAIL_COMMON_JSON_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define JSON_DOC_DEPTH 16

struct json_doc {
    struct buf *out;
    struct error *err;
    char closing[JSON_DOC_DEPTH]; /* '}' or ']' of every open level */
    int depth;
    bool comma, failed;
};

/** json_doc_begin(d, out, err): Both borrowed until json_doc_end. */
void json_doc_begin(struct json_doc *d, struct buf *out, struct error *err);
/** json_doc_end(d): 0; -1 when something failed, or a level is still open (USAGE). */
int json_doc_end(struct json_doc *d);

void json_doc_object(struct json_doc *d, const char *key);
void json_doc_array(struct json_doc *d, const char *key);
/** json_doc_close(d): Of the innermost level. */
void json_doc_close(struct json_doc *d);
void json_doc_text(struct json_doc *d, const char *key, const char *value);
void json_doc_int(struct json_doc *d, const char *key, int64_t value);
void json_doc_bool(struct json_doc *d, const char *key, bool value);

#endif
