/* SPDX-License-Identifier: Apache-2.0 */
/* The splitter against one that goes a byte at a time, in pieces of the size that the first byte
 * says; what comes out goes through record_read, as in a run. */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "tests/unit/split_slow.h"
#include "trail/identity.h"
#include "trail/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct list {
    uint64_t n, sum;
};

static void slow_add(void *user, const char *text, size_t len)
{
    struct list *l = user;

    l->n++;
    for (size_t i = 0; i < len; i++) {
        l->sum = l->sum * 31 + (unsigned char)text[i];
    }
    l->sum = l->sum * 31 + len;
}

static int add(void *user, const char *text, size_t len)
{
    static struct json *json;
    static struct trail_event e;
    struct error err = {.kind = ERR_NONE};
    char name[64];

    slow_add(user, text, len);
    if (json == NULL && json_open(&json, &err) != 0) {
        abort();
    }
    if (record_read(json, text, len, &e, &err) != 0) {
        if (err.kind != ERR_CORRUPT || strchr(err.text, '\n') != NULL) {
            abort();
        }
        return 0;
    }
    identity_name(&e.who, name, sizeof name);
    if (name[0] == '\0' || e.id[0] == '\0' || (trail_event_is_access(&e) && e.error[0] != '\0')) {
        abort();
    }
    identity_role(&e.who, name, sizeof name);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct list fast = {0}, slow = {0};
    struct slow r = {.cb = slow_add, .user = &slow};
    struct split s;
    struct error err = {.kind = ERR_NONE};
    size_t piece;
    bool taken;
    int rc = 0;

    if (size < 2) {
        return 0;
    }
    piece = data[0] == 0 ? size : data[0];
    data++;
    size--;
    split_begin(&s, NULL, add, &fast);
    for (size_t at = 0; rc == 0 && at < size; at += piece) {
        rc = split_feed(&s, data + at, size - at < piece ? size - at : piece, &err);
    }
    rc = split_end(&s, rc == 0 ? &err : NULL) != 0 ? -1 : rc;
    r.text = (const char *)data;
    r.len = size;
    taken = slow_split(&r);
    if (rc == 0 && (!taken || fast.n != slow.n || fast.sum != slow.sum)) {
        abort();
    }
    if (rc != 0 && taken && strcmp(err.text, "not JSON") != 0) {
        abort();
    }
    return 0;
}
