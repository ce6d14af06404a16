/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_GZIP };

struct source {
    int fd;
    bool own_fd, eof, inflating; /* inflating: z is initialised */
    bool in_member;              /* a gzip member has begun and not ended */
    enum form form;
    z_stream z;
    size_t in_len; /* plain, or not yet known what: bytes of in */
    uint8_t in[SOURCE_PIECE], out[SOURCE_PIECE];
};

int source_open(struct source **ret, const char *path, struct error *err)
{
    struct source *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return err_sys(err, "open %s", path);
    }
    if (strcmp(path, "-") == 0) {
        s->fd = STDIN_FILENO;
    } else {
        /* Named by the caller for reading: a link to it (or /dev/stdin) is what they mean. */
        s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        s->own_fd = true;
    }
    if (s->fd < 0) {
        free(s);
        return err_sys(err, "open %s", path);
    }
    *ret = s;
    return 0;
}

void source_close(struct source *s)
{
    if (s == NULL) {
        return;
    }
    if (s->inflating) {
        (void)inflateEnd(&s->z);
    }
    if (s->own_fd) {
        (void)close(s->fd);
    }
    free(s);
}

int source_fd(const struct source *s)
{
    return s->fd;
}

int source_ready(const struct source *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};

    if (s->eof || (s->form == FORM_GZIP && s->z.avail_in > 0)) {
        return 1;
    }
    return poll(&p, 1, 0) != 0;
}

/* Read behind the in_len bytes that are there. */
static int fill(struct source *s, struct error *err)
{
    ssize_t n;

    do {
        n = read(s->fd, s->in + s->in_len, sizeof s->in - s->in_len);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return err_sys(err, "read");
    }
    if (n == 0) {
        s->eof = true;
    }
    s->in_len += (size_t)n;
    return 0;
}

/* gzip by its two magic bytes (RFC 1952). */
static int recognise(struct source *s, struct error *err)
{
    while (s->in_len < 2 && !s->eof) {
        if (fill(s, err) != 0) {
            return -1;
        }
    }
    if (s->in_len < 2 || s->in[0] != 0x1f || s->in[1] != 0x8b) {
        s->form = FORM_PLAIN;
        return 0;
    }
    s->form = FORM_GZIP;
    s->z.next_in = s->in;
    s->z.avail_in = (uInt)s->in_len;
    if (inflateInit2(&s->z, 16 + MAX_WBITS) != Z_OK) {
        return err_set(err, ERR_SYSTEM, "start zlib");
    }
    s->inflating = true;
    return 0;
}

static int read_plain(struct source *s, const uint8_t **ret, size_t *ret_len, struct error *err)
{
    if (s->in_len == 0 && !s->eof && fill(s, err) != 0) {
        return -1;
    }
    if (s->in_len == 0) {
        return 0;
    }
    *ret = s->in;
    *ret_len = s->in_len;
    s->in_len = 0;
    return 1;
}

/* One step of zlib: 1 went on, 0 nothing more, -1. */
static int inflate_step(struct source *s, struct error *err)
{
    int z;

    if (s->z.avail_in == 0 && !s->eof) {
        s->in_len = 0;
        if (fill(s, err) != 0) {
            return -1;
        }
        s->z.next_in = s->in;
        s->z.avail_in = (uInt)s->in_len;
    }
    if (s->z.avail_in == 0) {
        return s->in_member ? err_set(err, ERR_CORRUPT, "the last gzip member ends early") : 0;
    }
    s->in_member = true;
    z = inflate(&s->z, Z_NO_FLUSH);
    if (z == Z_STREAM_END) {
        s->in_member = false;
        (void)inflateReset(&s->z);
    } else if (z != Z_OK && z != Z_BUF_ERROR) {
        return err_set(err, ERR_CORRUPT, "no valid gzip");
    }
    return 1;
}

static int read_gzip(struct source *s, const uint8_t **ret, size_t *ret_len, struct error *err)
{
    int step = 1;

    s->z.next_out = s->out;
    s->z.avail_out = sizeof s->out;
    /* A pipe may hold no more for now: what there is goes out. */
    while (step == 1 && s->z.avail_out > 0 &&
           (s->z.avail_out == sizeof s->out || s->z.avail_in > 0)) {
        step = inflate_step(s, err);
    }
    *ret = s->out;
    *ret_len = sizeof s->out - s->z.avail_out;
    if (*ret_len > 0) {
        return 1; /* an error is found again by the next call */
    }
    return step < 0 ? -1 : 0;
}

int source_read(struct source *s, const uint8_t **ret, size_t *ret_len, struct error *err)
{
    if (s->form == FORM_UNKNOWN && recognise(s, err) != 0) {
        return -1;
    }
    return s->form == FORM_GZIP ? read_gzip(s, ret, ret_len, err)
                                : read_plain(s, ret, ret_len, err);
}
