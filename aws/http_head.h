/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP answer, fed line by line: status and headers, bounded.  Knows nothing of
 * sockets. Invariant: `lines` holds "name\0value\0" pairs, names in lower case, values without
 * blanks around.
 */
#ifndef TTYTRAIL_AWS_HTTP_HEAD_H
#define TTYTRAIL_AWS_HTTP_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define HTTP_HEAD_MAX_BYTES 32768

struct http_head {
    int status; /* 0 before a status line */
    struct buf lines;
};

void http_head_init(struct http_head *h);
void http_head_clear(struct http_head *h);
/** http_head_reset(h): As after http_head_init, memory kept. */
void http_head_reset(struct http_head *h);
/** http_head_line(h, line, len, err): Take one line (line end allowed).  A status line forgets what
 * was before (100 Continue, then 200); lines without a colon and empty ones are passed over.
 * CORRUPT for a bad status line or a NUL, LIMIT above HTTP_HEAD_MAX_BYTES. */
int http_head_line(struct http_head *h, const char *line, size_t len, struct error *err);
/** http_head_get(h, name): The first value of header ${name} (lower case); "" when absent. */
const char *http_head_get(const struct http_head *h, const char *name);
/** http_head_time(text, ret_unix_us): "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7); -1
 * when it is none. */
int http_head_time(const char *text, int64_t *ret_unix_us);

#endif
