/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/xml.h"

#include <expat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16

struct reader {
    XML_Parser parser;
    const struct xml_handler *handler;
    const char *why; /* it was stopped */
    int depth;
    char text[XML_MAX_TEXT + 1];
    size_t text_len;
};

/* Memory that is wiped when it is given back; its size stands before it. */
union block {
    size_t size;
    max_align_t align;
};

static void *take(size_t size)
{
    union block *b = size > SIZE_MAX - sizeof *b ? NULL : malloc(sizeof *b + size);

    if (b == NULL) {
        return NULL;
    }
    b->size = size;
    return b + 1;
}

static void give_back(void *p)
{
    union block *b = p;

    if (b != NULL) {
        b--;
        explicit_bzero(b, sizeof *b + b->size);
        free(b);
    }
}

static void *resize(void *p, size_t size)
{
    void *to = take(size);

    if (to != NULL && p != NULL) {
        size_t had = ((union block *)p - 1)->size;

        memcpy(to, p, had < size ? had : size);
        give_back(p);
    }
    return to;
}

static void stop(struct reader *r, const char *why)
{
    if (r->why == NULL) {
        r->why = why;
        XML_StopParser(r->parser, XML_FALSE);
    }
}

static void on_doctype(void *user, const XML_Char *name, const XML_Char *sys, const XML_Char *pub,
                       int internal)
{
    (void)name;
    (void)sys;
    (void)pub;
    (void)internal;
    stop(user, "a document type");
}

static void on_text(void *user, const XML_Char *text, int len)
{
    struct reader *r = user;

    if ((size_t)len > XML_MAX_TEXT - r->text_len) {
        stop(r, "an overlong text");
        return;
    }
    memcpy(r->text + r->text_len, text, (size_t)len);
    r->text_len += (size_t)len;
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = user;
    const char *why;

    (void)attributes;
    r->text_len = 0;
    why = ++r->depth > MAX_DEPTH ? "too many levels"
                                 : r->handler->start(r->handler->user, r->depth, name);
    if (why != NULL) {
        stop(r, why);
    }
}

static void on_end(void *user, const XML_Char *name)
{
    struct reader *r = user;
    const char *why;

    r->text[r->text_len] = '\0';
    why = r->handler->end(r->handler->user, r->depth, name, r->text, r->text_len);
    r->depth--;
    r->text_len = 0;
    if (why != NULL) {
        stop(r, why);
    }
}

int xml_read(const struct xml_handler *h, const void *bytes, size_t len, size_t max_bytes,
             struct error *err)
{
    static const XML_Memory_Handling_Suite memory = {take, resize, give_back};
    struct reader r = {.handler = h};
    int rc = 0;

    if (len > max_bytes || len > INT32_MAX) {
        return err_set(err, ERR_LIMIT, "an XML document of %zu bytes", len);
    }
    r.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (r.parser == NULL) {
        return err_set(err, ERR_SYSTEM, "XML parser: out of memory");
    }
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    if (XML_Parse(r.parser, bytes, (int)len, 1) != XML_STATUS_OK) {
        rc = err_set(err, ERR_CORRUPT, "the answer's XML: %s",
                     r.why != NULL ? r.why : XML_ErrorString(XML_GetErrorCode(r.parser)));
    }
    XML_ParserFree(r.parser);
    explicit_bzero(r.text, sizeof r.text);
    return rc;
}
