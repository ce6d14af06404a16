/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON strings into a struct buf.  Makes valid UTF-8 of any bytes: what is none becomes
 * U+FFFD. Apart from reading, which needs SQLite: the recorder writes, and must not link that.
 */
#ifndef TTYTRAIL_COMMON_JSON_WRITE_H
#define TTYTRAIL_COMMON_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/** json_escape(out, bytes, len, ret_lossy, err): The inside of a JSON string.  ${ret_lossy} (NULL
 * allowed) is set true when a byte had to be replaced; it is never set false. */
int json_escape(struct buf *out, const uint8_t *bytes, size_t len, bool *ret_lossy,
                struct error *err);
/** json_string(out, text, err): "text" with its quotes; NULL becomes null. */
int json_string(struct buf *out, const char *text, struct error *err);
int json_string_n(struct buf *out, const void *bytes, size_t len, struct error *err);

#endif
