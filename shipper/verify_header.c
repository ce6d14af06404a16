/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/verify_header.h"

#include <string.h>

#include "common/io.h"

#define TEXT_MAX (1U * 1024 * 1024)

/* What a text comes back as when it was written: bytes that are no UTF-8 do not survive. */
static int as_written(struct json *json, const char *text, struct buf *ret, struct error *err)
{
    struct buf doc;
    int rc;

    buf_init(&doc, 8U * TEXT_MAX);
    rc = buf_puts(&doc, "{\"v\":", err) != 0 || json_string(&doc, text, err) != 0 ||
                 buf_putc(&doc, '}', err) != 0
             ? -1
             : json_text(json, (const char *)buf_data(&doc), doc.len, "$.v", ret, err);
    buf_clear(&doc);
    return rc < 0 ? -1 : 0;
}

/* 1 when the member is not ${text}; an absent one is "". */
static int differs(struct json *json, const struct buf *header, const char *path, const char *text,
                   struct error *err)
{
    struct buf have, want;
    int rc;

    buf_init(&have, TEXT_MAX);
    buf_init(&want, TEXT_MAX);
    rc = json_text(json, (const char *)buf_data(header), header->len, path, &have, err);
    if (rc >= 0) {
        rc = as_written(json, text, &want, err);
    }
    if (rc == 0) {
        rc = have.len != want.len ||
             (have.len > 0 && memcmp(buf_data(&have), buf_data(&want), have.len) != 0);
    }
    buf_clear(&have);
    buf_clear(&want);
    return rc;
}

static int number_differs(struct json *json, const struct buf *header, const char *path,
                          int64_t number, struct error *err)
{
    int64_t have = 0;
    int rc = json_int(json, (const char *)buf_data(header), header->len, path, &have, err);

    return rc < 0 ? -1 : rc == 0 || have != number;
}

int verify_header(struct json *json, const struct buf *header, const struct session_row *row,
                  const char **ret_member, struct error *err)
{
    char id[2 * CHAIN_ID + 1], epoch[2 * CHAIN_ID + 1];
    const struct {
        const char *name, *path, *text;
    } texts[] = {
        {"session", "$.ttytrail.session", io_hex(row->id, CHAIN_ID, id)},
        {"host", "$.ttytrail.host", row->host},
        {"epoch", "$.ttytrail.epoch", io_hex(row->epoch, CHAIN_ID, epoch)},
        {"user", "$.ttytrail.user", row->user},
        {"title", "$.title", row->title},
    };
    const struct {
        const char *name, *path;
        int64_t number;
    } numbers[] = {
        {"uid", "$.ttytrail.uid", row->uid},
        {"started_us", "$.ttytrail.started_us", row->started_us},
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof texts / sizeof texts[0]; i++) {
        *ret_member = texts[i].name;
        rc = differs(json, header, texts[i].path, texts[i].text, err);
    }
    for (size_t i = 0; rc == 0 && i < sizeof numbers / sizeof numbers[0]; i++) {
        *ret_member = numbers[i].name;
        rc = number_differs(json, header, numbers[i].path, numbers[i].number, err);
    }
    return rc;
}
