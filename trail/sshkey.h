/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A public key as SSH writes it: its text ("ssh-ed25519 AAAA... comment") and, of a certificate,
 * what the blob itself says.  Pure: text or bytes in, values out; nothing here was checked against
 * a signature.  Sources: openssh-portable PROTOCOL.certkeys, sshkey.c, sshd(8) "AUTHORIZED_KEYS".
 */
#ifndef TTYTRAIL_TRAIL_SSHKEY_H
#define TTYTRAIL_TRAIL_SSHKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/wire/witness.h"

#define SSHKEY_LINE_MAX   16384U /* of authorized_keys: longer ones are none */
#define SSHKEY_PRINCIPALS 1024U  /* bytes of their list */

struct sshkey {
    char type[64];
    size_t blob_len;
    uint8_t blob[WITNESS_BLOB_MAX];
};

/** sshkey_text(text, len, ret): "TYPE BASE64[ comment]", nothing before it.  False unless the blob
 * names the same type. */
bool sshkey_text(const char *text, size_t len, struct sshkey *ret);
/** sshkey_line(line, len, ret): One line of an authorized_keys file: options, with their quotes,
 * may stand before the key.  False for what is none (empty, comment, damaged). */
bool sshkey_line(const char *line, size_t len, struct sshkey *ret);

/* Of a certificate's blob. */
struct sshkey_cert {
    char type[64];
    uint64_t serial;
    uint32_t kind;                      /* 1 user, 2 host */
    char key_id[256];                   /* what is not printable in it is '?' */
    char principals[SSHKEY_PRINCIPALS]; /* "alice,root"; "" stands for all */
    bool principals_cut;                /* there are more than fit */
    uint64_t after, before;             /* unix seconds; before may be UINT64_MAX */
    char ca[52];                        /* "SHA256:..." of the CA's key */
};

/** sshkey_cert(blob, len, ret): False when it is no certificate of a type that OpenSSH knows, or
 * is damaged. */
bool sshkey_cert(const uint8_t *blob, size_t len, struct sshkey_cert *ret);

#endif
