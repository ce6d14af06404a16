/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML documents of foreign servers, read whole with expat: no document type (and so no entities),
 * at most 16 levels, 8 KiB of text an element.  Knows nothing of what they mean.  They may hold
 * keys: all memory is wiped before it is given back.
 */
#ifndef TTYTRAIL_AWS_XML_H
#define TTYTRAIL_AWS_XML_H

#include <stddef.h>

#include "common/err.h"

#define XML_MAX_TEXT 8192

struct xml_handler {
    /* Both return NULL, or why the document is not taken (a constant text).  ${depth} is 1 for the
     * root; ${text} is what stood directly before the end of the element. */
    const char *(*start)(void *user, int depth, const char *name);
    const char *(*end)(void *user, int depth, const char *name, const char *text, size_t len);
    void *user;
};

/** xml_read(h, bytes, len, max_bytes, err): CORRUPT for what is not taken, LIMIT above
 * ${max_bytes}. */
int xml_read(const struct xml_handler *h, const void *bytes, size_t len, size_t max_bytes,
             struct error *err);

#endif
