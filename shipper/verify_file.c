/* SPDX-License-Identifier: Apache-2.0 */
/* Files: plain, or any number of gzip members end to end, read as a stream of any length. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/json.h"
#include "shipper/field.h"
#include "shipper/verify.h"
#include "shipper/verify_cast.h"
#include "storage/seal/chain.h"

#define CHUNK        65536
#define NO_SIGNATURE "(a file carries no signature)"

struct file {
    int fd;
    bool gzip, member_done, truncated;
    uint8_t last; /* byte that was unpacked */
    int64_t members, size;
    z_stream z;
    struct verify_cast cast;
    uint8_t in[CHUNK], out[CHUNK];
};

static ssize_t read_chunk(struct file *f, struct error *err)
{
    ssize_t n;

    do {
        n = read(f->fd, f->in, sizeof f->in);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        err_sys(err, "read");
    } else {
        f->size += n;
    }
    return n;
}

/* Ours end with a line; somebody's may end anywhere. */
static int end_member(struct file *f, struct error *err)
{
    if (f->last != '\n') {
        return 0;
    }
    if (verify_cast_feed(&f->cast, NULL, 0, true, err) != 0) {
        return -1;
    }
    f->cast.fresh = true;
    return 0;
}

/* Unpacks what was read; members follow each other without a gap. */
static int inflate_chunk(struct file *f, size_t n, struct error *err)
{
    f->z.next_in = f->in;
    f->z.avail_in = (uInt)n;
    while (f->z.avail_in > 0) {
        int rc;

        if (f->member_done && inflateReset(&f->z) != Z_OK) {
            return err_set(err, ERR_SYSTEM, "zlib refused");
        }
        f->member_done = false;
        do {
            f->z.next_out = f->out;
            f->z.avail_out = sizeof f->out;
            rc = inflate(&f->z, Z_NO_FLUSH);
            if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
                return err_set(err, ERR_CORRUPT, "gzip member %lld is damaged",
                               (long long)f->members + 1);
            }
            if (f->z.avail_out < sizeof f->out) {
                f->last = f->out[sizeof f->out - f->z.avail_out - 1];
            }
            if (verify_cast_feed(&f->cast, f->out, sizeof f->out - f->z.avail_out, false, err) !=
                0) {
                return -1;
            }
        } while (rc == Z_OK && f->z.avail_out == 0);
        if (rc == Z_STREAM_END) {
            f->member_done = true;
            f->members++;
            if (end_member(f, err) != 0) {
                return -1;
            }
        } else if (rc == Z_BUF_ERROR) {
            break;
        }
    }
    return 0;
}

static int read_all(struct file *f, struct error *err)
{
    ssize_t n = read_chunk(f, err);

    if (n == 0) {
        return err_set(err, ERR_CORRUPT, "empty");
    }
    f->gzip = n >= 2 && f->in[0] == 0x1f && f->in[1] == 0x8b;
    if (f->gzip && inflateInit2(&f->z, 15 + 16) != Z_OK) {
        return err_set(err, ERR_SYSTEM, "zlib refused");
    }
    f->cast.fresh = f->gzip;
    for (; n > 0; n = read_chunk(f, err)) {
        int rc = f->gzip ? inflate_chunk(f, (size_t)n, err)
                         : verify_cast_feed(&f->cast, f->in, (size_t)n, false, err);

        if (rc != 0) {
            return -1;
        }
    }
    if (n < 0) {
        return -1;
    }
    if (f->gzip && !f->member_done) {
        f->truncated = true;
        return err_set(err, ERR_CORRUPT, "ends inside gzip member %lld", (long long)f->members + 1);
    }
    return verify_cast_feed(&f->cast, NULL, 0, true, err);
}

/* A line that begins with a brace is taken for the header; it may be anything behind it. */
static int check_header(const struct file *f, struct error *err)
{
    struct error bad = {.kind = ERR_NONE};
    struct json *json = NULL;
    int64_t version = 0;
    int rc = 0;

    if (!f->cast.header) {
        return 0;
    }
    if (json_open(&json, err) != 0) {
        return -1;
    }
    if (json_int(json, (const char *)buf_data(&f->cast.header_json), f->cast.header_json.len,
                 "$.version", &version, &bad) < 0) {
        rc = err_set(err, ERR_CORRUPT, "its header is no JSON object with a version");
    }
    json_close(json);
    return rc;
}

/* What the first header says, when it is one of ours. */
static void look_at_header(struct file *f, char *id, size_t size, char *user, size_t user_size)
{
    struct field_doc d = {NULL, (const char *)buf_data(&f->cast.header_json),
                          f->cast.header_json.len};

    if (json_open(&d.json, NULL) == 0) {
        if (field_text(&d, "$.ttytrail.session", id, size, NULL) != 0) {
            id[0] = '\0';
        } else if (field_text(&d, "$.ttytrail.user", user, user_size, NULL) != 0) {
            user[0] = '\0';
        }
        json_close(d.json);
    }
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* Ours end with an exit line; anybody's just end. */
static void describe(struct file *f, char *detail, size_t size, char *user, size_t user_size)
{
    const struct verify_cast *c = &f->cast;
    char id[128] = "", open_ones[64] = "", parts[64] = "";

    look_at_header(f, id, sizeof id, user, user_size);
    if (id[0] != '\0' && c->ends < c->sessions) {
        (void)snprintf(open_ones, sizeof open_ones, ", %lld without an end",
                       (long long)(c->sessions - c->ends));
    }
    if (c->sessions > 1 || c->parts > 0) {
        user[0] = '\0';
        if (c->parts > 0) {
            (void)snprintf(parts, sizeof parts, ", %lld part%s of others", (long long)c->parts,
                           plural(c->parts));
        }
        (void)snprintf(detail, size, "%lld session%s%s, %lld event%s%s " NO_SIGNATURE,
                       (long long)c->sessions, plural(c->sessions), parts, (long long)c->events,
                       plural(c->events), open_ones);
    } else {
        (void)snprintf(detail, size, "%s%s%s%lld event%s%s " NO_SIGNATURE,
                       id[0] == '\0' ? "" : "session ", id, id[0] == '\0' ? "" : ", ",
                       (long long)c->events, plural(c->events),
                       open_ones[0] == '\0' ? "" : ", no end");
    }
}

static void report(struct verify *v, struct file *f, const char *path, const struct error *bad)
{
    char user[128] = "", detail[512];
    struct verify_line l = {.what = "file",
                            .id = path,
                            .verdict = VERIFY_READABLE,
                            .user = user,
                            .bytes = f->size,
                            .detail = detail};

    if (bad->kind == ERR_NONE && f->cast.sessions + f->cast.parts == 0) {
        l.verdict = VERIFY_ALTERED;
        (void)snprintf(detail, sizeof detail, "no header in the first line");
    } else if (bad->kind == ERR_NONE) {
        describe(f, detail, sizeof detail, user, sizeof user);
    } else {
        l.verdict = f->truncated ? VERIFY_TRUNCATED : VERIFY_ALTERED;
        (void)snprintf(detail, sizeof detail, "%s", bad->text);
    }
    verify_report(v, &l);
}

int verify_file(struct verify *v, const char *path, struct error *err)
{
    static const struct error none = {.kind = ERR_NONE};
    struct file f = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct error bad = none;
    struct stat st;
    int rc = -1;

    if (f.fd < 0) {
        return err_sys(err, "open %s", path);
    }
    if (fstat(f.fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        err_set(err, ERR_USAGE, "%s is not a regular file", path);
    } else if (verify_cast_open(&f.cast, err) == 0) {
        f.cast.many = true;
        rc = read_all(&f, &bad);
        rc = rc == 0 ? check_header(&f, &bad) : rc;
        /* Neither gzip nor a header: no recording, and nothing to find in it. */
        if (rc != 0 && (bad.kind == ERR_SYSTEM || (!f.gzip && !f.cast.header))) {
            *err = bad;
            err_wrap(err, "%s", path);
        } else {
            report(v, &f, path, rc == 0 ? &none : &bad);
            rc = 0;
        }
    }
    if (f.gzip) {
        (void)inflateEnd(&f.z);
    }
    verify_cast_close(&f.cast);
    close(f.fd);
    return rc;
}
