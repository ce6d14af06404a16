/* SPDX-License-Identifier: Apache-2.0 */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "aws/s3_private.h"
#include "common/clock.h"

#define MAX_DEPTH 16
#define MAX_TEXT  8192 /* of one element: a key of 1024 bytes, each percent-encoded, fits */

struct item {
    char key[S3_MAX_KEY * 3 + 1], version[S3_MAX_KEY + 1];
    struct s3_item view;
};

struct reader {
    XML_Parser parser;
    int depth;
    bool in_item, bad;
    const char *why; /* of bad */
    char text[MAX_TEXT + 1];
    size_t text_len;
    struct s3_page *page; /* either of these */
    s3_list_fn *cb;
    void *user;
    int result; /* of cb */
    bool url_encoded;
    struct item item;
};

static void stop(struct reader *r, const char *why)
{
    r->bad = true;
    r->why = why;
    XML_StopParser(r->parser, XML_FALSE);
}

/* Nothing S3 sends has a document type; entities live only in there. */
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

    if ((size_t)len > MAX_TEXT - r->text_len) {
        stop(r, "an overlong text");
        return;
    }
    memcpy(r->text + r->text_len, text, (size_t)len);
    r->text_len += (size_t)len;
}

static bool is_item(const char *name)
{
    return strcmp(name, "Contents") == 0 || strcmp(name, "Version") == 0 ||
           strcmp(name, "DeleteMarker") == 0;
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = user;

    (void)attributes;
    r->depth++;
    r->text_len = 0;
    if (r->depth > MAX_DEPTH) {
        stop(r, "too many levels");
    } else if (r->depth == 1) {
        if (strcmp(name, "ListBucketResult") != 0 && strcmp(name, "ListVersionsResult") != 0) {
            stop(r, "another document");
        }
    } else if (r->depth == 2 && is_item(name)) {
        memset(&r->item, 0, sizeof r->item);
        r->item.view.delete_marker = *name == 'D';
        r->in_item = true;
    }
}

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c | (c >= 'A' ? 0x20 : 0));

    return c == '\0' || at == NULL ? -1 : (int)(at - digits);
}

/* encoding-type=url: percent escapes, and a blank may come as '+'. */
static bool decode(const struct reader *r, bool encoded, char *ret, size_t size)
{
    size_t n = 0;

    for (const char *p = r->text; *p != '\0'; p++) {
        int c = (unsigned char)*p;

        if (encoded && c == '+') {
            c = ' ';
        } else if (encoded && c == '%') {
            int high = hex_value(p[1]), low = high < 0 ? -1 : hex_value(p[2]);

            c = low < 0 ? 0 : high * 16 + low;
            p += 2;
        }
        if (c == 0 || n + 1 >= size) {
            return false;
        }
        ret[n++] = (char)c;
    }
    ret[n] = '\0';
    return true;
}

static void take(struct reader *r, char *ret, size_t size)
{
    if (!decode(r, false, ret, size)) {
        stop(r, "an overlong text");
    }
}

static void end_of_item_field(struct reader *r, const char *name)
{
    struct item *it = &r->item;

    if (strcmp(name, "Key") == 0) {
        if (!decode(r, r->url_encoded, it->key, sizeof it->key) || it->key[0] == '\0') {
            stop(r, "a bad key");
        }
    } else if (strcmp(name, "VersionId") == 0) {
        take(r, it->version, sizeof it->version);
    } else if (strcmp(name, "Size") == 0) {
        it->view.size = strtoull(r->text, NULL, 10);
    } else if (strcmp(name, "LastModified") == 0) {
        if (clock_parse(r->text, &it->view.modified_us, NULL) != 0) {
            stop(r, "a bad time");
        }
    } else if (strcmp(name, "IsLatest") == 0) {
        it->view.latest = strcmp(r->text, "true") == 0;
    }
}

static void end_of_item(struct reader *r)
{
    r->in_item = false;
    if (r->item.key[0] == '\0') {
        stop(r, "an item without key");
        return;
    }
    if (r->cb != NULL) {
        r->item.view.key = r->item.key;
        r->item.view.version = r->item.version;
        r->result = r->cb(r->user, &r->item.view);
        if (r->result != 0) {
            XML_StopParser(r->parser, XML_FALSE);
        }
    }
}

static void end_of_page_field(struct reader *r, const char *name)
{
    struct s3_page *page = r->page;

    if (strcmp(name, "IsTruncated") == 0) {
        page->truncated = strcmp(r->text, "true") == 0;
    } else if (strcmp(name, "EncodingType") == 0) {
        page->url_encoded = strcmp(r->text, "url") == 0;
    } else if (strcmp(name, "NextContinuationToken") == 0) {
        take(r, page->token, sizeof page->token);
    } else if (strcmp(name, "NextKeyMarker") == 0) {
        /* Decoded when the whole page is read: EncodingType may come after it. */
        take(r, page->key_marker, sizeof page->key_marker);
    } else if (strcmp(name, "NextVersionIdMarker") == 0) {
        take(r, page->version_marker, sizeof page->version_marker);
    }
}

static void on_end(void *user, const XML_Char *name)
{
    struct reader *r = user;

    r->text[r->text_len] = '\0';
    if (r->depth == 3 && r->in_item) {
        end_of_item_field(r, name);
    } else if (r->depth == 2 && r->in_item) {
        end_of_item(r);
    } else if (r->depth == 2 && r->page != NULL) {
        end_of_page_field(r, name);
    }
    r->depth--;
    r->text_len = 0;
}

static int run(struct reader *r, const void *bytes, size_t len, struct error *err)
{
    int rc = 0;

    if (len > S3_MAX_PAGE) {
        return err_set(err, ERR_LIMIT, "an XML document of %zu bytes", len);
    }
    r->parser = XML_ParserCreate(NULL);
    if (r->parser == NULL) {
        return err_set(err, ERR_SYSTEM, "XML parser: out of memory");
    }
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    if (XML_Parse(r->parser, bytes, (int)len, 1) != XML_STATUS_OK && r->result == 0) {
        rc = err_set(err, ERR_CORRUPT, "the answer's XML: %s",
                     r->bad ? r->why : XML_ErrorString(XML_GetErrorCode(r->parser)));
    }
    XML_ParserFree(r->parser);
    return rc;
}

int s3_xml_page(const void *bytes, size_t len, struct s3_page *ret, s3_list_fn *cb, void *user,
                struct error *err)
{
    struct s3_page page = {0};
    struct reader first = {.page = &page};
    struct reader second = {.cb = cb, .user = user};

    /* Keys cannot be decoded before the whole page said how they are encoded. */
    if (run(&first, bytes, len, err) != 0) {
        return -1;
    }
    memcpy(second.text, page.key_marker, sizeof page.key_marker);
    if (!decode(&second, page.url_encoded, page.key_marker, sizeof page.key_marker)) {
        return err_set(err, ERR_CORRUPT, "the answer's XML: a bad key");
    }
    second.url_encoded = page.url_encoded;
    if (run(&second, bytes, len, err) != 0) {
        return -1;
    }
    if (second.result == 0) {
        *ret = page;
    }
    return second.result;
}
