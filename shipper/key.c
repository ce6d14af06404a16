/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/key.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"

#define FILE_MAX 4096
#define SIG_HEAD ",\"sig\":\""
#define SIG_TAIL "\"}\n"
#define SIG_LEN  (sizeof SIG_HEAD - 1 + (size_t)2 * KEY_SIGNATURE + sizeof SIG_TAIL - 1)

struct key {
    EVP_PKEY *pkey;
    struct key_binding binding;
    uint8_t public_key[KEY_PUBLIC];
};

static int take(struct key **ret, EVP_PKEY *pkey, const struct key_binding *binding,
                struct error *err)
{
    size_t len = KEY_PUBLIC;
    struct key *k = calloc(1, sizeof *k);

    if (k == NULL || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(pkey, k->public_key, &len) != 1 || len != KEY_PUBLIC) {
        free(k);
        EVP_PKEY_free(pkey);
        return err_set(err, ERR_CORRUPT, "host key is no Ed25519 key");
    }
    k->pkey = pkey;
    k->binding = *binding;
    *ret = k;
    return 0;
}

int key_generate(struct key **ret, const struct key_binding *binding, struct error *err)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    if (pkey == NULL) {
        return err_set(err, ERR_SYSTEM, "make a host key: OpenSSL has no Ed25519");
    }
    return take(ret, pkey, binding, err);
}

void key_free(struct key *k)
{
    if (k != NULL) {
        EVP_PKEY_free(k->pkey); /* wipes the private part */
        free(k);
    }
}

const struct key_binding *key_binding(const struct key *k)
{
    return &k->binding;
}

const uint8_t *key_public(const struct key *k)
{
    return k->public_key;
}

/* ---- the file: "Name: value" lines, then PKCS#8 in PEM, so that openssl(1) can use it ---- */

static bool field(const char *text, const char *name, char *ret, size_t size)
{
    const char *at = strstr(text, name);
    size_t n;

    if (at == NULL) {
        return false;
    }
    at += strlen(name);
    n = strcspn(at, "\n");
    if (n >= size) {
        return false;
    }
    memcpy(ret, at, n);
    ret[n] = '\0';
    return true;
}

static int parse_binding(const char *text, struct key_binding *ret)
{
    char epoch[2 * KEY_EPOCH + 1], number[21], created[21];

    if (!field(text, "\nEpoch: ", epoch, sizeof epoch) ||
        !field(text, "\nNumber: ", number, sizeof number) ||
        !field(text, "\nCreated: ", created, sizeof created) ||
        !field(text, "\nMachine: ", ret->machine, sizeof ret->machine) ||
        io_unhex(epoch, ret->epoch, KEY_EPOCH) != 0) {
        return -1;
    }
    if (!field(text, "\nInstance: ", ret->instance, sizeof ret->instance)) {
        ret->instance[0] = '\0'; /* of a version before instances, or of no instance */
    }
    ret->number = strtoll(number, NULL, 10);
    ret->created_us = strtoll(created, NULL, 10);
    return ret->number > 0 ? 0 : -1;
}

static int parse_file(struct key **ret, const char *path, const char *text, struct error *err)
{
    struct key_binding b = {.number = 0};
    EVP_PKEY *pkey = NULL;
    BIO *bio = NULL;

    if (parse_binding(text, &b) == 0) {
        bio = BIO_new_mem_buf(text, -1);
    }
    if (bio != NULL) {
        pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    if (pkey == NULL) {
        return err_set(err, ERR_CORRUPT, "%s is no host key", path);
    }
    return take(ret, pkey, &b, err);
}

int key_load(struct key **ret, const char *path, struct error *err)
{
    char text[FILE_MAX];
    struct stat st;
    ssize_t n;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        return err_sys(err, "open host key %s", path);
    }
    if (fstat(fd, &st) != 0) {
        rc = err_sys(err, "stat %s", path);
    } else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0) {
        rc = err_set(err, ERR_DENIED, "host key %s: others than its owner may read it", path);
    } else if ((n = read(fd, text, sizeof text - 1)) < 0) {
        rc = err_sys(err, "read host key %s", path);
    } else {
        text[n] = '\0';
        rc = parse_file(ret, path, text, err);
    }
    close(fd);
    explicit_bzero(text, sizeof text);
    return rc;
}

int key_save(const struct key *k, const char *path, struct error *err)
{
    char head[512], epoch[2 * KEY_EPOCH + 1];
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long len;
    int n, rc = -1;

    n = snprintf(head, sizeof head,
                 "ttytrail host key: keep it secret, it signs this host's manifests.\n"
                 "Epoch: %s\nNumber: %" PRId64 "\nCreated: %" PRId64 "\nMachine: %s\n%s%s%s",
                 io_hex(k->binding.epoch, KEY_EPOCH, epoch), k->binding.number,
                 k->binding.created_us, k->binding.machine,
                 k->binding.instance[0] == '\0' ? "" : "Instance: ", k->binding.instance,
                 k->binding.instance[0] == '\0' ? "" : "\n");
    if (bio == NULL || BIO_write(bio, head, n) != n ||
        PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
        (len = BIO_get_mem_data(bio, &text)) <= 0) {
        err_set(err, ERR_SYSTEM, "write the host key: OpenSSL refused");
    } else {
        rc = io_replace_file(AT_FDCWD, path, 0600, text, (size_t)len, err);
    }
    BIO_free(bio);
    return rc;
}

/* ---- signatures ---- */

/* Ed25519 takes its message in one piece. */
static uint8_t *message_of(const char *domain, const void *bytes, size_t len, size_t *ret_len)
{
    size_t d = strlen(domain);
    uint8_t *m = len > SIZE_MAX - d - 1 ? NULL : malloc(d + len + 1);

    if (m != NULL) {
        memcpy(m, domain, d);
        if (len > 0) {
            memcpy(m + d, bytes, len);
        }
        *ret_len = d + len;
    }
    return m;
}

int key_sign(const struct key *k, const char *domain, const void *bytes, size_t len,
             uint8_t ret[KEY_SIGNATURE], struct error *err)
{
    size_t m_len = 0, sig_len = KEY_SIGNATURE;
    uint8_t *m = message_of(domain, bytes, len, &m_len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int rc = 0;

    if (m == NULL || ctx == NULL || EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) != 1 ||
        EVP_DigestSign(ctx, ret, &sig_len, m, m_len) != 1 || sig_len != KEY_SIGNATURE) {
        rc = err_set(err, ERR_SYSTEM, "sign with the host key: OpenSSL refused");
    }
    EVP_MD_CTX_free(ctx);
    free(m);
    return rc;
}

bool key_check(const uint8_t public_key[KEY_PUBLIC], const char *domain, const void *bytes,
               size_t len, const uint8_t signature[KEY_SIGNATURE])
{
    size_t m_len = 0;
    uint8_t *m = message_of(domain, bytes, len, &m_len);
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, KEY_PUBLIC);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = m != NULL && pkey != NULL && ctx != NULL &&
              EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestVerify(ctx, signature, KEY_SIGNATURE, m, m_len) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    free(m);
    return ok;
}

int key_seal_line(const struct key *k, const char *domain, struct buf *line, struct error *err)
{
    uint8_t sig[KEY_SIGNATURE];
    char hex[2 * KEY_SIGNATURE + 1];

    if (key_sign(k, domain, buf_data(line), line->len, sig, err) != 0) {
        return -1;
    }
    return buf_printf(line, err, SIG_HEAD "%s" SIG_TAIL, io_hex(sig, sizeof sig, hex));
}

bool key_split_line(const uint8_t *line, size_t len, size_t *ret_signed_len,
                    uint8_t ret_signature[KEY_SIGNATURE])
{
    char hex[2 * KEY_SIGNATURE + 1], again[2 * KEY_SIGNATURE + 1];
    const uint8_t *at;

    if (len < SIG_LEN) {
        return false;
    }
    at = line + len - SIG_LEN;
    if (memcmp(at, SIG_HEAD, sizeof SIG_HEAD - 1) != 0 ||
        memcmp(line + len - (sizeof SIG_TAIL - 1), SIG_TAIL, sizeof SIG_TAIL - 1) != 0) {
        return false;
    }
    memcpy(hex, at + sizeof SIG_HEAD - 1, sizeof hex - 1);
    hex[sizeof hex - 1] = '\0';
    /* One signature has one spelling, so that one document has one hash. */
    if (io_unhex(hex, ret_signature, KEY_SIGNATURE) != 0 ||
        strcmp(io_hex(ret_signature, KEY_SIGNATURE, again), hex) != 0) {
        return false;
    }
    *ret_signed_len = len - SIG_LEN;
    return true;
}
