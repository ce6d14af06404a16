/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "aws/s3_private.h"
#include "aws/xml.h"
#include "common/clock.h"

struct item {
    char key[S3_MAX_KEY * 3 + 1], version[S3_MAX_KEY + 1];
    struct s3_item view;
};

struct reader {
    bool in_item;
    const char *why;      /* the document is not taken, or no more of it is wanted */
    struct s3_page *page; /* either of these */
    s3_list_fn *cb;
    void *user;
    int result; /* of cb */
    bool url_encoded;
    struct item item;
};

static void stop(struct reader *r, const char *why)
{
    r->why = r->why == NULL ? why : r->why;
}

static bool is_item(const char *name)
{
    return strcmp(name, "Contents") == 0 || strcmp(name, "Version") == 0 ||
           strcmp(name, "DeleteMarker") == 0;
}

static const char *on_start(void *user, int depth, const char *name)
{
    struct reader *r = user;

    if (depth == 1) {
        if (strcmp(name, "ListBucketResult") != 0 && strcmp(name, "ListVersionsResult") != 0) {
            stop(r, "another document");
        }
    } else if (depth == 2 && is_item(name)) {
        memset(&r->item, 0, sizeof r->item);
        r->item.view.delete_marker = *name == 'D';
        r->in_item = true;
    }
    return r->why;
}

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c | (c >= 'A' ? 0x20 : 0));

    return c == '\0' || at == NULL ? -1 : (int)(at - digits);
}

/* encoding-type=url: percent escapes, and a blank may come as '+'. */
static bool decode(const char *text, bool encoded, char *ret, size_t size)
{
    size_t n = 0;

    for (const char *p = text; *p != '\0'; p++) {
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

static void take(struct reader *r, const char *text, char *ret, size_t size)
{
    if (!decode(text, false, ret, size)) {
        stop(r, "an overlong text");
    }
}

static void end_of_item_field(struct reader *r, const char *name, const char *text)
{
    struct item *it = &r->item;

    if (strcmp(name, "Key") == 0) {
        if (!decode(text, r->url_encoded, it->key, sizeof it->key) || it->key[0] == '\0') {
            stop(r, "a bad key");
        }
    } else if (strcmp(name, "VersionId") == 0) {
        take(r, text, it->version, sizeof it->version);
    } else if (strcmp(name, "Size") == 0) {
        it->view.size = strtoull(text, NULL, 10);
    } else if (strcmp(name, "LastModified") == 0) {
        if (clock_parse(text, &it->view.modified_us, NULL) != 0) {
            stop(r, "a bad time");
        }
    } else if (strcmp(name, "IsLatest") == 0) {
        it->view.latest = strcmp(text, "true") == 0;
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
            stop(r, "no more is wanted");
        }
    }
}

static void end_of_page_field(struct reader *r, const char *name, const char *text)
{
    struct s3_page *page = r->page;

    if (strcmp(name, "IsTruncated") == 0) {
        page->truncated = strcmp(text, "true") == 0;
    } else if (strcmp(name, "EncodingType") == 0) {
        page->url_encoded = strcmp(text, "url") == 0;
    } else if (strcmp(name, "NextContinuationToken") == 0) {
        take(r, text, page->token, sizeof page->token);
    } else if (strcmp(name, "NextKeyMarker") == 0) {
        /* Decoded when the whole page is read: EncodingType may come after it. */
        take(r, text, page->key_marker, sizeof page->key_marker);
    } else if (strcmp(name, "NextVersionIdMarker") == 0) {
        take(r, text, page->version_marker, sizeof page->version_marker);
    }
}

static const char *on_end(void *user, int depth, const char *name, const char *text, size_t len)
{
    struct reader *r = user;

    (void)len;
    if (depth == 3 && r->in_item) {
        end_of_item_field(r, name, text);
    } else if (depth == 2 && r->in_item) {
        end_of_item(r);
    } else if (depth == 2 && r->page != NULL) {
        end_of_page_field(r, name, text);
    }
    return r->why;
}

static int run(struct reader *r, const void *bytes, size_t len, struct error *err)
{
    const struct xml_handler handler = {on_start, on_end, r};

    int rc = xml_read(&handler, bytes, len, S3_MAX_PAGE, err);

    if (r->result != 0) {
        err_clear(err);
        return 0;
    }
    return rc;
}

int s3_xml_page(const void *bytes, size_t len, struct s3_page *ret, s3_list_fn *cb, void *user,
                struct error *err)
{
    struct s3_page page = {0};
    char marker[sizeof page.key_marker];
    struct reader first = {.page = &page};
    struct reader second = {.cb = cb, .user = user};

    /* Keys cannot be decoded before the whole page said how they are encoded. */
    if (run(&first, bytes, len, err) != 0) {
        return -1;
    }
    memcpy(marker, page.key_marker, sizeof marker);
    if (!decode(marker, page.url_encoded, page.key_marker, sizeof page.key_marker)) {
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
