/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/xml_fault.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "aws/xml.h"

#define MAX_BYTES ((size_t)1024 * 1024)

struct reader {
    struct xml_fault *fault;
    int at; /* the depth of its fields */
    bool inside;
};

static const char *on_start(void *user, int depth, const char *name)
{
    struct reader *r = user;

    if (depth == 1) {
        r->at = strcmp(name, "Error") == 0 ? 2 : 3;
        r->inside = r->at == 2;
        return r->inside || strcmp(name, "ErrorResponse") == 0 ? NULL : "another document";
    }
    if (depth == 2 && r->at == 3) {
        r->inside = strcmp(name, "Error") == 0;
    }
    return NULL;
}

static void take_word(char *ret, size_t size, const char *text, size_t len)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    if (len < size && strspn(text, word) == len) {
        memcpy(ret, text, len + 1);
    }
}

static void take_message(char *ret, size_t size, const char *text, size_t len)
{
    len = len < size ? len : size - 1;
    for (size_t i = 0; i < len; i++) {
        ret[i] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
    }
    ret[len] = '\0';
}

static const char *on_end(void *user, int depth, const char *name, const char *text, size_t len)
{
    struct reader *r = user;
    struct xml_fault *f = r->fault;

    if (depth != r->at || !r->inside) {
        return NULL;
    }
    if (strcmp(name, "Message") == 0) {
        take_message(f->message, sizeof f->message, text, len);
    } else if (strcmp(name, "Code") == 0) {
        take_word(f->code, sizeof f->code, text, len);
    } else if (strcmp(name, "Region") == 0) {
        take_word(f->region, sizeof f->region, text, len);
    }
    return NULL;
}

void xml_fault_read(const void *bytes, size_t len, struct xml_fault *ret)
{
    struct reader r = {.fault = ret};
    struct xml_handler h = {.start = on_start, .end = on_end, .user = &r};

    memset(ret, 0, sizeof *ret);
    if (len > 0 && xml_read(&h, bytes, len, MAX_BYTES, NULL) != 0) {
        memset(ret, 0, sizeof *ret);
    }
}
