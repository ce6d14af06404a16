/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/sshkey.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

bool sshkey_text(const char *text, size_t len, struct sshkey *ret)
{
    /* The parser of what sshd says wants a method before the key. */
    char line[SSHKEY_LINE_MAX + 2];
    struct witness_auth a;

    ret->type[0] = '\0';
    ret->blob_len = 0;
    if (len > SSHKEY_LINE_MAX || memchr(text, '\n', len) != NULL) {
        return false;
    }
    memcpy(line, "k ", 2);
    memcpy(line + 2, text, len);
    for (char *p = line; p < line + len + 2; p++) {
        *p = *p == '\t' ? ' ' : *p;
    }
    if (!witness_auth(line, len + 2, &a) || a.blob_len == 0) {
        return false;
    }
    memcpy(ret->type, a.key_type, sizeof ret->type);
    memcpy(ret->blob, a.blob, a.blob_len);
    ret->blob_len = a.blob_len;
    return true;
}

/* Behind the options: the first blank outside of quotes. */
static size_t options_end(const char *line, size_t len)
{
    bool quoted = false;
    size_t i = 0;

    while (i < len && (quoted || (line[i] != ' ' && line[i] != '\t'))) {
        if (line[i] == '\\' && i + 1 < len && line[i + 1] == '"') {
            i++;
        } else if (line[i] == '"') {
            quoted = !quoted;
        }
        i++;
    }
    return i;
}

bool sshkey_line(const char *line, size_t len, struct sshkey *ret)
{
    size_t skip = 0;

    ret->type[0] = '\0';
    ret->blob_len = 0;
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r')) {
        len--;
    }
    while (skip < len && (line[skip] == ' ' || line[skip] == '\t')) {
        skip++;
    }
    line += skip;
    len -= skip;
    if (len == 0 || line[0] == '#') {
        return false;
    }
    if (sshkey_text(line, len, ret)) {
        return true;
    }
    skip = options_end(line, len);
    return skip < len && sshkey_text(line + skip, len - skip, ret);
}

/* ---- certificates ---- */

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static const uint8_t *bytes(struct reader *r, size_t n)
{
    const uint8_t *at = r->at;

    if (r->bad || n > r->left) {
        r->bad = true;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return at;
}

static uint64_t number(struct reader *r, size_t size)
{
    const uint8_t *p = bytes(r, size);
    uint64_t n = 0;

    for (size_t i = 0; p != NULL && i < size; i++) {
        n = n << 8 | p[i];
    }
    return n;
}

static const uint8_t *string(struct reader *r, size_t *len)
{
    *len = (size_t)number(r, 4);
    return bytes(r, *len);
}

/* How many strings of the key itself stand between nonce and serial. */
static int key_parts(const char *type)
{
    static const struct {
        const char *type;
        int parts;
    } kinds[] = {
        {"ssh-rsa-cert-v01@openssh.com", 2},
        {"ssh-dss-cert-v01@openssh.com", 4},
        {"ecdsa-sha2-nistp256-cert-v01@openssh.com", 2},
        {"ecdsa-sha2-nistp384-cert-v01@openssh.com", 2},
        {"ecdsa-sha2-nistp521-cert-v01@openssh.com", 2},
        {"ssh-ed25519-cert-v01@openssh.com", 1},
        {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 3},
        {"sk-ssh-ed25519-cert-v01@openssh.com", 2},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) == 0) {
            return kinds[i].parts;
        }
    }
    return -1;
}

static void printable(const uint8_t *from, size_t len, char *to, size_t size)
{
    size_t n = len < size - 1 ? len : size - 1;

    for (size_t i = 0; i < n; i++) {
        to[i] = from[i] > ' ' && from[i] < 0x7f ? (char)from[i] : '?';
        to[i] = from[i] == ' ' ? ' ' : to[i];
    }
    to[n] = '\0';
}

static void read_principals(struct reader *r, struct sshkey_cert *ret)
{
    size_t len, n = 0;
    const uint8_t *list = string(r, &len);
    struct reader in = {.at = list, .left = list == NULL ? 0 : len};

    while (list != NULL && !in.bad && in.left > 0) {
        size_t one_len;
        const uint8_t *one = string(&in, &one_len);

        if (one == NULL) {
            break;
        }
        if (one_len + 2 > sizeof ret->principals - n) {
            ret->principals_cut = true;
            continue;
        }
        if (n > 0) {
            ret->principals[n++] = ',';
        }
        printable(one, one_len, ret->principals + n, one_len + 1);
        n += one_len;
    }
    r->bad = r->bad || in.bad;
}

static bool fingerprint(const uint8_t *key, size_t len, char ret[52])
{
    uint8_t hash[SHA256_DIGEST_LENGTH];

    if (EVP_Digest(key, len, hash, NULL, EVP_sha256(), NULL) != 1) {
        return false;
    }
    witness_fingerprint(hash, ret);
    return true;
}

bool sshkey_cert(const uint8_t *blob, size_t len, struct sshkey_cert *ret)
{
    struct reader r = {.at = blob, .left = len};
    const uint8_t *p;
    size_t n;
    int parts;

    memset(ret, 0, sizeof *ret);
    p = string(&r, &n);
    if (p == NULL || n >= sizeof ret->type) {
        return false;
    }
    printable(p, n, ret->type, sizeof ret->type);
    parts = key_parts(ret->type);
    if (parts < 0) {
        return false;
    }
    for (int i = 0; i < 1 + parts; i++) { /* the nonce first */
        (void)string(&r, &n);
    }
    ret->serial = number(&r, 8);
    ret->kind = (uint32_t)number(&r, 4);
    p = string(&r, &n);
    if (p != NULL) {
        printable(p, n, ret->key_id, sizeof ret->key_id);
    }
    read_principals(&r, ret);
    ret->after = number(&r, 8);
    ret->before = number(&r, 8);
    for (int i = 0; i < 3; i++) { /* critical options, extensions, reserved */
        (void)string(&r, &n);
    }
    p = string(&r, &n);
    return p != NULL && n > 0 && fingerprint(p, n, ret->ca);
}
