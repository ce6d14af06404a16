/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json_doc.h"

#include <inttypes.h>
#include <string.h>

#include "common/json_write.h"

void json_doc_begin(struct json_doc *d, struct buf *out, struct error *err)
{
    memset(d, 0, sizeof *d);
    d->out = out;
    d->err = err;
}

static void puts_or_fail(struct json_doc *d, const char *text)
{
    d->failed = d->failed || buf_puts(d->out, text, d->err) != 0;
}

static void new_line(struct json_doc *d)
{
    puts_or_fail(d, "\n");
    for (int i = 0; i < d->depth; i++) {
        puts_or_fail(d, "  ");
    }
}

static void before(struct json_doc *d, const char *key)
{
    if (d->comma) {
        puts_or_fail(d, ",");
    }
    if (d->depth > 0) {
        new_line(d);
    }
    if (key != NULL && !d->failed) {
        d->failed = json_string(d->out, key, d->err) != 0;
        puts_or_fail(d, ": ");
    }
    d->comma = true;
}

static void open_level(struct json_doc *d, const char *key, const char *bracket, char closing)
{
    before(d, key);
    puts_or_fail(d, bracket);
    if (d->depth == JSON_DOC_DEPTH) {
        d->failed = true;
        (void)err_set(d->err, ERR_LIMIT, "JSON of more than %d levels", JSON_DOC_DEPTH);
        return;
    }
    d->closing[d->depth++] = closing;
    d->comma = false;
}

void json_doc_object(struct json_doc *d, const char *key)
{
    open_level(d, key, "{", '}');
}

void json_doc_array(struct json_doc *d, const char *key)
{
    open_level(d, key, "[", ']');
}

void json_doc_close(struct json_doc *d)
{
    char text[2] = "";
    bool empty = !d->comma;

    if (d->depth == 0) {
        d->failed = true;
        (void)err_set(d->err, ERR_USAGE, "no level of JSON is open");
        return;
    }
    d->depth--;
    text[0] = d->closing[d->depth];
    if (!empty) {
        new_line(d);
    }
    puts_or_fail(d, text);
    d->comma = true;
}

void json_doc_text(struct json_doc *d, const char *key, const char *value)
{
    before(d, key);
    d->failed = d->failed || json_string(d->out, value, d->err) != 0;
}

void json_doc_int(struct json_doc *d, const char *key, int64_t value)
{
    before(d, key);
    d->failed = d->failed || buf_printf(d->out, d->err, "%" PRId64, value) != 0;
}

void json_doc_bool(struct json_doc *d, const char *key, bool value)
{
    before(d, key);
    puts_or_fail(d, value ? "true" : "false");
}

int json_doc_end(struct json_doc *d)
{
    if (!d->failed && d->depth > 0) {
        d->failed = true;
        (void)err_set(d->err, ERR_USAGE, "a level of JSON is still open");
    }
    puts_or_fail(d, "\n");
    return d->failed ? -1 : 0;
}
