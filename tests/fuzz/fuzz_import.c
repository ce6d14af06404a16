/* SPDX-License-Identifier: Apache-2.0 */
/* What import reads of a store beside what verify does: a session's row in a manifest (first byte
 * even), and what is in a segment of any number (odd).  A row that is taken has all its texts, and
 * facts that a writer takes. */
#include <stdlib.h>
#include <string.h>

#include "shipper/import_impl.h"
#include "storage/wire/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void row(struct json *json, const uint8_t *data, size_t size, struct session_row *r)
{
    static const uint8_t id[CHAIN_ID] = {0};
    struct import_session values;
    struct facts facts;
    struct error err = {.kind = ERR_NONE};

    if (import_row(json, (const char *)data, size, id, r, &err) != 0) {
        if (err.text[0] == '\0') {
            abort();
        }
        return;
    }
    import_row_values(r, &values);
    if (values.host == NULL || values.user == NULL || values.kind == NULL || values.title == NULL ||
        values.tty == NULL || values.command == NULL || values.exit == NULL ||
        strstr(values.flags, "imported") == NULL ||
        facts_parse(buf_data(&r->facts), r->facts.len, &facts, &err) != 0) {
        abort();
    }
}

static void segment(struct json *json, const uint8_t *data, size_t size, int64_t number,
                    struct session_row *r)
{
    struct import_segment g = {.number = number, .bytes = data, .len = size};
    struct error err = {.kind = ERR_NONE};
    static char text[] = "x";

    r->host = r->user = r->title = text;
    if (import_look(json, r, &g, &err) != 0 && err.text[0] == '\0') {
        abort();
    }
    r->host = r->user = r->title = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json = NULL;
    struct session_row r;
    struct error err;

    if (size == 0 || size > 1U << 20) {
        return 0;
    }
    if (json_open(&json, &err) != 0) {
        abort();
    }
    session_row_init(&r);
    if (data[0] % 2 == 0) {
        row(json, data + 1, size - 1, &r);
    } else {
        segment(json, data + 1, size - 1, data[0] % 4 == 3, &r);
    }
    session_row_clear(&r);
    json_close(json);
    return 0;
}
