/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <string.h>

#include "aws/s3_private.h"
#include "common/io.h"

#define MAX_HEADERS 8

struct put_headers {
    struct sigv4_header list[MAX_HEADERS];
    size_t count;
    char checksum[45]; /* base64 of 32 bytes */
};

static void add(struct put_headers *h, const char *name, const char *value)
{
    if (value != NULL && *value != '\0') {
        h->list[h->count++] = (struct sigv4_header){name, value};
    }
}

static void make_headers(const struct s3 *s, const struct s3_put *put, struct put_headers *h)
{
    const char *kms = s->config.kms_key;
    bool with_kms = kms != NULL && *kms != '\0';

    memset(h, 0, sizeof *h);
    EVP_EncodeBlock((unsigned char *)h->checksum, put->sha256, 32);
    add(h, "If-None-Match", s->no_if_none_match ? NULL : "*");
    add(h, "x-amz-checksum-sha256", s->no_checksum ? NULL : h->checksum);
    add(h, "Content-Type", put->content_type);
    add(h, "Content-Encoding", put->content_encoding);
    add(h, "x-amz-server-side-encryption", with_kms ? "aws:kms" : NULL);
    add(h, "x-amz-server-side-encryption-aws-kms-key-id", kms);
}

/* Only where an ETag is the MD5 of the body: neither under KMS nor of anything in parts. */
static bool etag_contradicts(const struct http_response *r, const struct s3_put *put)
{
    const char *etag = http_head_get(&r->head, "etag");
    uint8_t theirs[16], ours[EVP_MAX_MD_SIZE];
    char hex[33];

    if (strncmp(http_head_get(&r->head, "x-amz-server-side-encryption"), "aws:kms", 7) == 0 ||
        strlen(etag) != 34 || etag[0] != '"') {
        return false;
    }
    memcpy(hex, etag + 1, 32);
    hex[32] = '\0';
    /* A FIPS OpenSSL has no MD5; then there is nothing to compare. */
    if (io_unhex(hex, theirs, 16) != 0 ||
        EVP_Q_digest(NULL, "MD5", NULL, put->bytes, put->len, ours, NULL) != 1) {
        return false;
    }
    return memcmp(theirs, ours, 16) != 0;
}

static int judge(const struct http_response *r, const struct s3_put *put,
                 const struct put_headers *h, enum s3_put_result *ret, struct error *err)
{
    const char *echo = http_head_get(&r->head, "x-amz-checksum-sha256");

    if (r->head.status == 412) {
        *ret = S3_PUT_EXISTS;
        return 0;
    }
    if (r->head.status != 200) {
        return s3_error_sort(r, "s3:PutObject", err);
    }
    if (*echo != '\0' ? strcmp(echo, h->checksum) != 0 : etag_contradicts(r, put)) {
        return err_set(err, ERR_CORRUPT, "the server stored other bytes than were sent");
    }
    *ret = S3_PUT_CONFIRMED;
    return 0;
}

/* One header less, or false when there is none left to do without. */
static bool do_without(struct s3 *s)
{
    if (!s->no_if_none_match) {
        s->no_if_none_match = true;
    } else if (!s->no_checksum) {
        s->no_checksum = true;
    } else {
        return false;
    }
    return true;
}

int s3_put(struct s3 *s, const struct s3_put *put, enum s3_put_result *ret, struct error *err)
{
    struct http_response response;
    struct put_headers h;
    bool no_if_none_match = s->no_if_none_match, no_checksum = s->no_checksum;
    int rc;

    http_response_init(&response);
    do {
        make_headers(s, put, &h);
        rc = s3_call_send(s,
                          &(struct s3_call){.method = "PUT",
                                            .key = put->key,
                                            .headers = h.list,
                                            .header_count = h.count,
                                            .body = put->len == 0 ? "" : put->bytes,
                                            .body_len = put->len,
                                            .sha256 = put->sha256},
                          &response, err);
        /* 501: refused before anything was stored, so asking again is still the one attempt. */
    } while (rc == 0 && response.head.status == 501 && do_without(s));
    if (rc == 0) {
        rc = judge(&response, put, &h, ret, err);
    }
    if (rc != 0) {
        if (response.head.status == 501) {
            /* It was not the headers: keep asking for them. */
            s->no_if_none_match = no_if_none_match;
            s->no_checksum = no_checksum;
        }
        s3_call_wrap(s, "put", put->key, err);
    }
    http_response_clear(&response);
    return rc;
}
