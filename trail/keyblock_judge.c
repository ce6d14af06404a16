/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a block holds: its signature, its signer's chain at the block's own time, and whether it
 * is of what was asked for. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "trail/keyblock.h"

#define ROOT_FILE_MAX 1048576U
#define CERTS_MOST    16
#define SALT_LEN      32
#define BITS_LEAST    2048

struct keyblock_root {
    X509_STORE *store;
};

/* Where Instance Connect's signers live: the partitions' own domains.  Amazon's roots sign for
 * everybody, so the name alone is what makes a certificate the signer's. */
static const char *const domains[] = {"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu",
                                      "c2s.ic.gov",    "sc2s.sgov.gov",    "cloud.adc-e.uk",
                                      "csp.hci.ic.gov"};

/* ---- trust ---- */

int keyblock_root_pem(struct keyblock_root **ret, const char *text, size_t len, struct error *err)
{
    struct keyblock_root *r = calloc(1, sizeof *r);
    BIO *in = len <= ROOT_FILE_MAX ? BIO_new_mem_buf(text, (int)len) : NULL;
    X509 *c;
    int n = 0, rc = 0;

    *ret = NULL;
    if (r != NULL) {
        r->store = X509_STORE_new();
    }
    while (r != NULL && r->store != NULL && in != NULL &&
           (c = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        n += X509_STORE_add_cert(r->store, c) == 1;
        X509_free(c);
    }
    BIO_free(in);
    ERR_clear_error();
    if (n == 0) {
        rc = err_set(err, ERR_CORRUPT, "no certificate in it");
        keyblock_root_close(r);
        return rc;
    }
    *ret = r;
    return 0;
}

int keyblock_root_open(struct keyblock_root **ret, const char *path, struct error *err)
{
    struct buf text;
    FILE *in = fopen(path, "re");
    uint8_t *room;
    size_t n;
    int rc = 0;

    *ret = NULL;
    if (in == NULL) {
        return err_sys(err, "open %s", path);
    }
    buf_init(&text, ROOT_FILE_MAX);
    while (rc == 0 && (rc = buf_reserve(&text, 8192, &room, err)) == 0 &&
           (n = fread(room, 1, 8192, in)) > 0) {
        buf_commit(&text, n);
    }
    if (rc == 0 && ferror(in)) {
        rc = err_sys(err, "read %s", path);
    }
    (void)fclose(in);
    if (rc == 0 && keyblock_root_pem(ret, (const char *)buf_data(&text), text.len, err) != 0) {
        rc = err_wrap(err, "%s", path);
    }
    buf_clear(&text);
    return rc;
}

void keyblock_root_close(struct keyblock_root *r)
{
    if (r != NULL) {
        X509_STORE_free(r->store);
        free(r);
    }
}

/* ---- the signer ---- */

/* Its one common name; false when there is none, several, or an unusual one. */
static bool common_name(X509 *c, char *ret, size_t size)
{
    X509_NAME *name = X509_get_subject_name(c);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), n;
    ASN1_STRING *value;
    unsigned char *text = NULL;
    bool good;

    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) {
        return false;
    }
    value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    n = ASN1_STRING_to_UTF8(&text, value);
    good = n > 0 && (size_t)n < size && memchr(text, '\0', (size_t)n) == NULL;
    if (good) {
        memcpy(ret, text, (size_t)n);
        ret[n] = '\0';
    }
    OPENSSL_free(text);
    return good;
}

#define SIGNER "managed-ssh-signer."

/* "managed-ssh-signer.REGION.DOMAIN" */
static bool is_signer(const char *name, const char *region)
{
    const char *at = name + sizeof SIGNER - 1, *domain;
    size_t n;

    if (strncmp(name, SIGNER, sizeof SIGNER - 1) != 0 || (domain = strchr(at, '.')) == NULL) {
        return false;
    }
    n = (size_t)(domain - at);
    if (n == 0 || (region[0] != '\0' && (n != strlen(region) || memcmp(at, region, n) != 0))) {
        return false;
    }
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        if (strcmp(domain + 1, domains[i]) == 0) {
            return true;
        }
    }
    return false;
}

struct chain {
    X509 *signer;
    STACK_OF(X509) * others;
    char name[256];
};

static void chain_clear(struct chain *c)
{
    X509_free(c->signer);
    sk_X509_pop_free(c->others, X509_free);
    *c = (struct chain){.signer = NULL};
}

/* The signer is the one that is named so, in whichever order they came; without such, the first. */
static bool chain_read(struct chain *c, const char *pem, size_t len)
{
    BIO *in = len > 0 && len <= KEYBLOCK_CHAIN_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    int signer = 0, n = 0;
    X509 *one;

    *c = (struct chain){.others = sk_X509_new_null()};
    while (in != NULL && c->others != NULL && n < CERTS_MOST &&
           (one = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        char name[256];

        if (common_name(one, name, sizeof name) && strncmp(name, SIGNER, sizeof SIGNER - 1) == 0) {
            signer = n;
        }
        if (sk_X509_push(c->others, one) <= 0) {
            X509_free(one);
            break;
        }
        n++;
    }
    BIO_free(in);
    ERR_clear_error();
    if (n == 0) {
        chain_clear(c);
        return false;
    }
    c->signer = sk_X509_delete(c->others, signer);
    if (!common_name(c->signer, c->name, sizeof c->name)) {
        c->name[0] = '\0';
    }
    return true;
}

/* At ${at_s}; what OpenSSL says of it, NULL when it holds. */
static const char *chain_fault(const struct keyblock_root *root, const struct chain *c,
                               int64_t at_s)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    const char *fault = "no memory";

    if (ctx != NULL && X509_STORE_CTX_init(ctx, root->store, c->signer, c->others) == 1) {
        X509_STORE_CTX_set_time(ctx, 0, (time_t)at_s);
        fault = X509_verify_cert(ctx) == 1
                    ? NULL
                    : X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return fault;
}

static bool signature_holds(const struct chain *c, const struct keyblock *b)
{
    EVP_PKEY *key = X509_get0_pubkey(c->signer);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pss = NULL;
    bool good = ctx != NULL && key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
                EVP_PKEY_get_bits(key) >= BITS_LEAST &&
                EVP_DigestVerifyInit(ctx, &pss, EVP_sha256(), NULL, key) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(pss, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(pss, SALT_LEN) == 1 &&
                EVP_DigestVerify(ctx, b->signature, b->signature_len,
                                 (const unsigned char *)b->signed_text, b->signed_len) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

/* ---- one block ---- */

static int count(const struct keyblock_holds *h)
{
    return h->key + h->signature + h->chain + h->signer + h->instance + h->in_force;
}

static bool in_force(const struct keyblock *b, const struct keyblock_want *w)
{
    int64_t end = b->expires_s * 1000000;

    return b->expires_s > 0 && w->at_us <= end + w->skew_us &&
           w->at_us >= end - KEYBLOCK_LIFE_S * INT64_C(1000000) - w->skew_us;
}

/* What does not hold, in the order of what says most. */
static void say(const struct keyblock *b, const struct keyblock_want *w,
                const struct keyblock_holds *h, const char *chain_why, struct keyblock_verdict *ret)
{
    char *to = ret->words;
    size_t size = sizeof ret->words;

    if (!h->signature) {
        (void)snprintf(to, size, "the signature does not hold");
    } else if (!h->chain) {
        (void)snprintf(to, size, "the signer's certificate is not trusted: %s", chain_why);
    } else if (!h->signer) {
        (void)snprintf(to, size, "the certificate is not of Instance Connect's signer%s%s",
                       w->region[0] != '\0' ? " in " : "", w->region);
    } else if (!h->instance) {
        (void)snprintf(to, size, "it is of %s %s", b->instance[0] != '\0' ? "instance" : "no",
                       b->instance[0] != '\0' ? b->instance : "instance");
    } else if (!h->in_force) {
        (void)snprintf(to, size,
                       b->expires_s == 0 ? "it has no time"
                       : w->at_us > b->expires_s * 1000000
                           ? "it had expired before the authentication"
                           : "it was made after the authentication");
    } else {
        (void)snprintf(to, size, "signature, certificate%s, instance and time hold",
                       w->region[0] != '\0' ? "" : " (of any region)");
    }
}

static void judge_one(const struct keyblock_root *root, const struct chain *c,
                      const struct keyblock *b, const struct keyblock_want *w,
                      struct keyblock_verdict *ret)
{
    int64_t at_s = b->expires_s > 0 ? b->expires_s : w->at_us / 1000000;
    const char *fault = root != NULL ? chain_fault(root, c, at_s) : "no trust root is configured";
    struct keyblock_holds *h = &ret->holds;

    *ret = (struct keyblock_verdict){.expires_s = b->expires_s};
    h->key = true;
    h->signature = signature_holds(c, b);
    h->chain = fault == NULL;
    h->signer = is_signer(c->name, w->region);
    h->instance = b->instance[0] != '\0' && strcmp(b->instance, w->instance) == 0;
    h->in_force = in_force(b, w);
    ret->verified = count(h) == 6;
    say(b, w, h, fault, ret);
    if (ret->verified && b->caller[0] == '\0') {
        ret->verified = false;
        (void)snprintf(ret->words, sizeof ret->words, "it holds, but names no caller");
    }
    if (ret->verified) {
        (void)snprintf(ret->caller, sizeof ret->caller, "%s", b->caller);
        (void)snprintf(ret->request, sizeof ret->request, "%s", b->request);
    }
}

static bool better(const struct keyblock_verdict *a, const struct keyblock_verdict *than)
{
    if (a->verified != than->verified) {
        return a->verified;
    }
    if (count(&a->holds) != count(&than->holds)) {
        return count(&a->holds) > count(&than->holds);
    }
    return a->expires_s > than->expires_s;
}

/* Of those that hold the newest; two principals are none. */
static void take(struct keyblock_verdict *best, const struct keyblock_verdict *one, bool *two)
{
    *two = *two || (best->verified && one->verified && strcmp(best->caller, one->caller) != 0);
    if (better(one, best)) {
        *best = *one;
    }
}

struct work {
    struct keyblock block;
    struct keyblock_verdict one;
};

void keyblock_judge(const struct keyblock_root *root, const char *text, size_t len,
                    const char *chain, size_t chain_len, const struct keyblock_want *want,
                    struct keyblock_verdict *ret)
{
    struct work *k = calloc(1, sizeof *k);
    struct chain c = {.signer = NULL};
    bool two = false, chained = chain_read(&c, chain, chain_len);
    const char *fault = NULL;
    size_t at = 0;

    *ret = (struct keyblock_verdict){.verified = false};
    (void)snprintf(ret->words, sizeof ret->words, "no block of this key");
    for (int n = 0; k != NULL && n < KEYBLOCK_MOST && keyblock_next(text, len, &at, &k->block);
         n++) {
        const struct keyblock *b = &k->block;

        fault = b->fault != NULL ? b->fault : fault;
        if (b->fault != NULL || want->blob_len == 0 || b->key.blob_len != want->blob_len ||
            memcmp(b->key.blob, want->blob, want->blob_len) != 0) {
            continue;
        }
        if (!chained) {
            ret->holds.key = true;
            (void)snprintf(ret->words, sizeof ret->words, "there is no signer's certificate");
            continue;
        }
        judge_one(root, &c, b, want, &k->one);
        take(ret, &k->one, &two);
    }
    if (fault != NULL && !ret->holds.key) {
        (void)snprintf(ret->words, sizeof ret->words, "no block of this key; of one, %s", fault);
    }
    if (two) {
        ret->verified = false;
        ret->caller[0] = ret->request[0] = '\0';
        (void)snprintf(ret->words, sizeof ret->words,
                       "blocks of several principals hold for this key");
    }
    chain_clear(&c);
    free(k);
}
