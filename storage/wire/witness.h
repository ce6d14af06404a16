/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sshd says of an authentication (SSH_AUTH_INFO_0: a line a method, "publickey ssh-ed25519
 * AAAA...") and of a connection (SSH_CONNECTION: address, port, address, port).  A pure parser of
 * what came from elsewhere.  Source: openssh-portable, auth2.c and session.c.
 */
#ifndef TTYTRAIL_WIRE_WITNESS_H
#define TTYTRAIL_WIRE_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WITNESS_BLOB_MAX 6144U /* of a key: 8 KiB of text */

struct witness_auth {
    char method[64];   /* "publickey", "password", ...; of the last line that has a key, else the
                        * last */
    char key_type[64]; /* "" without a key */
    size_t blob_len;   /* 0 without a key */
    uint8_t blob[WITNESS_BLOB_MAX];
};

/** witness_auth(text, len, ret): False when no line makes sense. */
bool witness_auth(const char *text, size_t len, struct witness_auth *ret);

struct witness_peer {
    char address[64], port[8];
};
/** witness_peer(text, len, ret): The client's end. */
bool witness_peer(const char *text, size_t len, struct witness_peer *ret);

/** witness_fingerprint(hash, ret): "SHA256:" and base64 without padding, as ssh-keygen -l shows. */
void witness_fingerprint(const uint8_t hash[32], char ret[52]);

#endif
