/* SPDX-License-Identifier: Apache-2.0 */
/* Instance Connect's signed blocks, by a certificate authority of this test's own; and keys and
 * certificates as SSH writes them. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "trail/keyblock.h"

#define KEY    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define OTHER  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define LOGIN  INT64_C(1795780800) /* seconds */
#define CALLER "arn:aws:iam::111122223333:user/alice"
#define BOB    "arn:aws:iam::111122223333:user/bob"

static EVP_PKEY *ca_key, *signer_key;
static X509 *ca, *signer, *stranger, *expired;
static char root_pem[8192], chain_pem[8192], stranger_pem[8192], expired_pem[8192];
static struct keyblock_root *root;

/* ---- certificates ---- */

static X509 *certificate(const char *name, EVP_PKEY *key, X509 *by, EVP_PKEY *by_key, int64_t from,
                         int64_t to)
{
    X509 *c = X509_new();
    X509_NAME *n = X509_get_subject_name(c);
    X509V3_CTX ctx;
    X509_EXTENSION *e;
    static long serial;

    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(c, by == NULL ? n : X509_get_subject_name(by));
    ASN1_TIME_set(X509_getm_notBefore(c), from);
    ASN1_TIME_set(X509_getm_notAfter(c), to);
    X509_set_pubkey(c, key);
    X509V3_set_ctx(&ctx, by == NULL ? c : by, c, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints,
                            by == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    X509_add_ext(c, e, -1);
    X509_EXTENSION_free(e);
    assert_true(X509_sign(c, by_key, EVP_sha256()) > 0);
    return c;
}

static void pem(X509 *c, char *ret, size_t size)
{
    BIO *out = BIO_new(BIO_s_mem());
    int n;

    PEM_write_bio_X509(out, c);
    n = BIO_read(out, ret, (int)size - 1);
    assert_true(n > 0);
    ret[n] = '\0';
    BIO_free(out);
}

static int set_up(void **state)
{
    const int64_t year = 365 * 86400;
    struct error err;

    (void)state;
    ca_key = EVP_RSA_gen(2048);
    signer_key = EVP_RSA_gen(2048);
    ca = certificate("a root", ca_key, NULL, ca_key, LOGIN - year, LOGIN + 20 * year);
    signer = certificate("managed-ssh-signer.eu-central-1.amazonaws.com", signer_key, ca, ca_key,
                         LOGIN - 86400, LOGIN + 86400);
    stranger = certificate("www.example.com", signer_key, ca, ca_key, LOGIN - 86400, LOGIN + 86400);
    expired = certificate("managed-ssh-signer.eu-central-1.amazonaws.com", signer_key, ca, ca_key,
                          LOGIN - 2 * 86400, LOGIN - 86400);
    pem(ca, root_pem, sizeof root_pem);
    pem(signer, chain_pem, sizeof chain_pem);
    pem(stranger, stranger_pem, sizeof stranger_pem);
    pem(expired, expired_pem, sizeof expired_pem);
    MUST(keyblock_root_pem(&root, root_pem, strlen(root_pem), &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    keyblock_root_close(root);
    X509_free(ca);
    X509_free(signer);
    X509_free(stranger);
    X509_free(expired);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(signer_key);
    return 0;
}

/* ---- blocks ---- */

static void sign(const char *text, EVP_PKEY *key, int salt, char *ret, size_t size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pss = NULL;
    unsigned char raw[512], base64[1024];
    size_t n = sizeof raw, at = 0;
    int len;

    assert_int_equal(EVP_DigestSignInit(ctx, &pss, EVP_sha256(), NULL, key), 1);
    EVP_PKEY_CTX_set_rsa_padding(pss, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(pss, salt);
    assert_int_equal(EVP_DigestSign(ctx, raw, &n, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(ctx);
    len = EVP_EncodeBlock(base64, raw, (int)n);
    ret[0] = '\0';
    for (int i = 0; i < len; i += 76) { /* over several lines, as it comes */
        at += (size_t)snprintf(ret + at, size - at, "%.76s\n", base64 + i);
    }
}

struct made {
    const char *instance, *caller, *key;
    int64_t expires;
    int salt;
    EVP_PKEY *by;
};

static void block(const struct made *m, char *ret, size_t size)
{
    char text[4096], signature[2048];

    (void)snprintf(text, sizeof text,
                   "#Timestamp=%lld\n#Instance=%s\n#Caller=%s\n#Request=r-1\n%s\n",
                   (long long)m->expires, m->instance, m->caller, m->key);
    sign(text, m->by, m->salt, signature, sizeof signature);
    (void)snprintf(ret, size, "%s%s\n", text, signature);
}

static struct made usual(void)
{
    return (struct made){"i-1", CALLER, KEY, LOGIN + 50, 32, signer_key};
}

static void judge(const char *text, const char *chain, struct keyblock_verdict *ret)
{
    struct sshkey key;
    struct keyblock_want want = {.instance = "i-1", .region = "eu-central-1"};

    assert_true(sshkey_text(KEY, strlen(KEY), &key));
    want.blob = key.blob;
    want.blob_len = key.blob_len;
    want.at_us = LOGIN * 1000000;
    want.skew_us = 1000000;
    keyblock_judge(root, text, strlen(text), chain, strlen(chain), &want, ret);
}

static char text[16384];
static struct keyblock_verdict v;

static void holds(void **state)
{
    struct made m = usual();

    (void)state;
    block(&m, text, sizeof text);
    judge(text, chain_pem, &v);
    assert_string_equal(v.words, "signature, certificate, instance and time hold");
    assert_true(v.verified);
    assert_string_equal(v.caller, CALLER);
    assert_string_equal(v.request, "r-1");
    assert_int_equal(v.expires_s, LOGIN + 50);
}

static void does_not_hold(void **state)
{
    const struct {
        const char *name, *words;
        struct made m;
        const char *chain;
    } rows[] = {
        {"another instance",
         "it is of instance i-2",
         {"i-2", CALLER, KEY, LOGIN + 50, 32, signer_key},
         chain_pem},
        {"replayed",
         "it had expired before",
         {"i-1", CALLER, KEY, LOGIN - 3600, 32, signer_key},
         chain_pem},
        {"from the future",
         "made after",
         {"i-1", CALLER, KEY, LOGIN + 3600, 32, signer_key},
         chain_pem},
        {"another salt",
         "the signature",
         {"i-1", CALLER, KEY, LOGIN + 50, 20, signer_key},
         chain_pem},
        {"another's signature",
         "the signature",
         {"i-1", CALLER, KEY, LOGIN + 50, 32, ca_key},
         chain_pem},
        {"a stranger's certificate",
         "not of Instance Connect's",
         {"i-1", CALLER, KEY, LOGIN + 50, 32, signer_key},
         stranger_pem},
        {"an expired certificate",
         "not trusted",
         {"i-1", CALLER, KEY, LOGIN + 50, 32, signer_key},
         expired_pem},
        {"another key",
         "no block of this key",
         {"i-1", CALLER, OTHER, LOGIN + 50, 32, signer_key},
         chain_pem},
        {"no certificate",
         "no signer's certificate",
         {"i-1", CALLER, KEY, LOGIN + 50, 32, signer_key},
         ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        block(&rows[i].m, text, sizeof text);
        judge(text, rows[i].chain, &v);
        if (v.verified || strstr(v.words, rows[i].words) == NULL || v.caller[0] != '\0') {
            fail_msg("%s: %s", rows[i].name, v.words);
        }
    }
}

static void every_signed_byte_counts(void **state)
{
    struct made m = usual();
    const char *end;

    (void)state;
    block(&m, text, sizeof text);
    end = strstr(text, KEY) + strlen(KEY);
    for (char *p = text; p < end; p++) {
        char was = *p;

        *p = (char)(was == '7' ? '8' : '7');
        judge(text, chain_pem, &v);
        assert_false(v.verified);
        *p = was;
    }
    judge(text, chain_pem, &v);
    assert_true(v.verified);
}

static void two_callers_are_none(void **state)
{
    struct made alice = usual(), bob = usual();
    char one[8192];

    (void)state;
    bob.caller = BOB;
    block(&alice, text, sizeof text);
    block(&bob, one, sizeof one);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s", one);
    judge(text, chain_pem, &v);
    assert_false(v.verified);
    assert_string_equal(v.caller, "");
    /* An older one of another's does not hold any more, and is in nobody's way. */
    bob.expires = LOGIN - 3600;
    block(&alice, text, sizeof text);
    block(&bob, one, sizeof one);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s", one);
    judge(text, chain_pem, &v);
    assert_true(v.verified);
    assert_string_equal(v.caller, CALLER);
}

static void selects_blocks_of_a_key(void **state)
{
    struct made m = usual(), other = usual();
    struct sshkey key;
    struct buf out;
    struct error err;
    char one[8192];

    (void)state;
    other.key = OTHER;
    block(&other, text, sizeof text);
    block(&m, one, sizeof one);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s#Timestamp=x\n\n", one);
    assert_true(sshkey_text(KEY, strlen(KEY), &key));
    buf_init(&out, 65536);
    assert_int_equal(keyblock_select(text, strlen(text), key.blob, key.blob_len, &out, &err), 1);
    assert_true(strncmp(buf_text(&out, NULL), one, strlen(one)) == 0);
    judge(buf_text(&out, NULL), chain_pem, &v);
    assert_true(v.verified);
    buf_clear(&out);
}

static void names_what_is_damaged(void **state)
{
    static const struct {
        const char *text, *fault;
    } rows[] = {
        {"#Timestamp=1\n" KEY "\n", "it has no signature"},
        {"#Timestamp=x\n" KEY "\nAAAA\n", "its time is no number"},
        {"#Timestamp=1\n\n", "it has no key"},
        {"#Timestamp=1\nssh-ed25519 AAAA\nAAAA\n", "its key is damaged"},
        {"#Instance=i-1\n#Instance=i-2\n" KEY "\nAAAA\n", "a line stands in it twice"},
        {"#Caller=a b\n" KEY "\nAAAA\n",
         "one of its values is of characters that none of AWS's are"},
        {"#Caller=\n" KEY "\nAAAA\n", "one of its values is empty or too long"},
        {KEY "\nA*A\n", "its signature is no base64"},
    };
    static struct keyblock b;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t at = 0;

        assert_true(keyblock_next(rows[i].text, strlen(rows[i].text), &at, &b));
        assert_string_equal(b.fault, rows[i].fault);
        assert_false(keyblock_next(rows[i].text, strlen(rows[i].text), &at, &b));
    }
}

static void reads_lines_of_authorized_keys(void **state)
{
    static const struct {
        const char *line;
        bool good;
    } rows[] = {
        {KEY, true},
        {KEY " a comment\n", true},
        {"  restrict,command=\"echo \\\"hi\\\" there\" " KEY " x", true},
        {"# " KEY, false},
        {"", false},
        {"ssh-ed25519", false},
        {"ssh-ed25519 AAA*", false},
    };
    struct sshkey key;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (sshkey_line(rows[i].line, strlen(rows[i].line), &key) != rows[i].good) {
            fail_msg("'%s'", rows[i].line);
        }
        assert_true(!rows[i].good || strcmp(key.type, "ssh-ed25519") == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds),
        cmocka_unit_test(does_not_hold),
        cmocka_unit_test(every_signed_byte_counts),
        cmocka_unit_test(two_callers_are_none),
        cmocka_unit_test(selects_blocks_of_a_key),
        cmocka_unit_test(names_what_is_damaged),
        cmocka_unit_test(reads_lines_of_authorized_keys),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
