/* SPDX-License-Identifier: Apache-2.0 */
/* One record's text, and the same bytes as the name of an object and as a stored file: whole and in
 * pieces, which must say the same. */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "trail/identity.h"
#include "trail/layout.h"
#include "trail/record.h"
#include "trail/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_record(struct json *json, const uint8_t *data, size_t size)
{
    static struct trail_event e;
    struct error err = {.kind = ERR_NONE};
    char name[300];

    memset(&e, 0xa5, sizeof e);
    if (record_read(json, (const char *)data, size, &e, &err) != 0) {
        if (err.kind != ERR_CORRUPT || err.text[0] == '\0' || strchr(err.text, '\n') != NULL) {
            abort();
        }
        return;
    }
    if (strlen(e.id) == 0 || strlen(e.key) >= sizeof e.key ||
        (e.key[0] != '\0' && strchr(e.key, ' ') != strrchr(e.key, ' '))) {
        abort();
    }
    if (e.kind == TRAIL_START && trail_event_is_access(&e) && e.session[0] == '\0') {
        abort();
    }
    identity_name(&e.who, name, sizeof name);
    if (name[0] == '\0') {
        abort();
    }
    identity_role(&e.who, name, sizeof name);
}

static void try_name(const uint8_t *data, size_t size)
{
    struct layout_place p;
    char text[1100], prefix[1100];
    int64_t us;

    size = size < 1024 ? size : 1024;
    memcpy(text, data, size);
    text[size] = '\0';
    if (layout_of(text, &p, &us) && (layout_prefix(&p, prefix, sizeof prefix, NULL) != 0 ||
                                     strncmp(text, prefix, strlen(prefix)) != 0)) {
        abort();
    }
    layout_skip(text, prefix, sizeof prefix);
    if (text[0] != '\0' && strcmp(prefix, text) < 0) {
        abort(); /* the look for places would not go on */
    }
}

static int add_up(void *user, const void *bytes, size_t len, struct error *err)
{
    const uint8_t *p = bytes;

    (void)err;
    for (size_t i = 0; i < len; i++) {
        *(uint64_t *)user = *(uint64_t *)user * 31 + p[i];
    }
    return 0;
}

static void try_file(struct unpack *u, const uint8_t *data, size_t size)
{
    uint64_t whole = 0, pieces = 0, bytes;
    uint8_t one[32], two[32];
    int a, b = 0;

    unpack_begin(u, add_up, &whole);
    a = unpack_whole(u, data, size, NULL);
    a = unpack_end(u, &bytes, one, NULL) != 0 ? -1 : a;
    unpack_begin(u, add_up, &pieces);
    for (size_t at = 0; b == 0 && at < size; at += 7) {
        b = unpack_feed(u, data + at, size - at < 7 ? size - at : 7, NULL);
    }
    b = unpack_end(u, &bytes, two, NULL) != 0 ? -1 : b;
    if (a == 0 && b == 0 && (whole != pieces || memcmp(one, two, 32) != 0)) {
        abort();
    }
    /* libdeflate does not look at the checksum that a header may have. */
    if (size > 3 && data[0] == 0x1f && (data[3] & 2) == 0 && a != b) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json *json;
    static struct unpack *unpack;
    struct error err;

    if (json == NULL && (json_open(&json, &err) != 0 || unpack_open(&unpack, &err) != 0)) {
        abort();
    }
    try_record(json, data, size);
    try_name(data, size);
    try_file(unpack, data, size);
    return 0;
}
