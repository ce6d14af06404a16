/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/export/export.h"

#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "replay/export/cast.h"
#include "replay/export/formats.h"
#include "replay/export/raw.h"

#define OUT_BYTES 65536U

static const struct export_format formats[] = {
    {"cast", "asciicast v2, as stored", cast_run},
    {"raw", "the bytes of one stream", raw_run},
    {"cast3", "asciicast v3", cast3_run},
    {"text", "what was on the screen", text_run},
    {"html", "one file with a player", NULL},
    {"json", "events as JSON, one a line", json_run},
    {"ttyrec", "ttyrec", ttyrec_run},
    {"script", "typescript and timing", script_run},
    {"tlog", "messages of tlog", tlog_run},
    {"commands", "the commands that were run", NULL},
};

const struct export_format *export_format(const char *name, struct error *err)
{
    char shown[64];

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) != 0) {
            continue;
        }
        if (formats[i].run == NULL) {
            (void)err_set(err, ERR_USAGE, "format '%s': not built yet", name);
            return NULL;
        }
        return &formats[i];
    }
    (void)err_set(err, ERR_USAGE,
                  "no format '%s' (there are cast, cast3, raw, json, script, text, tlog, ttyrec)",
                  log_escape(name, strnlen(name, 40), shown, sizeof shown));
    return NULL;
}

void export_out_init(struct export_out *o, int fd)
{
    o->fd = fd;
    buf_init(&o->pending, OUT_BYTES);
}

void export_out_clear(struct export_out *o)
{
    buf_clear(&o->pending);
}

int export_out_flush(struct export_out *o, struct error *err)
{
    if (io_write_all(o->fd, buf_data(&o->pending), o->pending.len, err) != 0) {
        return -1;
    }
    buf_reset(&o->pending);
    return 0;
}

int export_out_write(struct export_out *o, const void *bytes, size_t len, struct error *err)
{
    if (o->pending.len + len > OUT_BYTES && export_out_flush(o, err) != 0) {
        return -1;
    }
    if (len >= OUT_BYTES) {
        return io_write_all(o->fd, bytes, len, err);
    }
    return buf_append(&o->pending, bytes, len, err);
}
