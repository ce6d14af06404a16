/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instance Connect's signed block, as the metadata service has it and sshd's AuthorizedKeysCommand
 * reads it (AWS.md section 7.2): up to four `#` lines, a key, a signature over them, a blank line;
 * several blocks in one answer.  Parsing is pure; judging needs a trust root and no network, and
 * judges at the block's own time, so that it says the same years later.  Knows nothing of where
 * the text comes from.  What a block claims counts only after keyblock_judge.
 */
#ifndef TTYTRAIL_TRAIL_KEYBLOCK_H
#define TTYTRAIL_TRAIL_KEYBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "trail/sshkey.h"

#define KEYBLOCK_TEXT_MAX  65536U /* of an answer; more is not looked at */
#define KEYBLOCK_MOST      64     /* blocks of an answer */
#define KEYBLOCK_CHAIN_MAX 32768U /* of the signer's chain, PEM */
#define KEYBLOCK_LIFE_S    60     /* of a pushed key */

struct keyblock {
    const char *fault; /* NULL: it can be judged.  Else what is wrong with it, in words */
    size_t from, to;   /* where it stands in the answer */
    int64_t expires_s; /* unix; 0 absent */
    char instance[64], caller[2048], request[64]; /* "" absent */
    struct sshkey key;                            /* blob_len 0: none */
    size_t signed_len, signature_len;
    char signed_text[12288]; /* the lines that were signed, each with its LF */
    uint8_t signature[1024];
};

/** keyblock_next(text, len, at, ret): Walk: start with *at = 0; false at the end.  Damaged blocks
 * come too, with a fault. */
bool keyblock_next(const char *text, size_t len, size_t *at, struct keyblock *ret);
/** keyblock_select(text, len, blob, blob_len, out, err): Append the sound blocks of that key, as
 * they came, a blank line after each.  Their number, or -1 (LIMIT: they do not fit). */
int keyblock_select(const char *text, size_t len, const uint8_t *blob, size_t blob_len,
                    struct buf *out, struct error *err);

/* Whom to trust. */
struct keyblock_root;
/** keyblock_root_open(ret, path, err): PEM, one or several certificates. */
int keyblock_root_open(struct keyblock_root **ret, const char *path, struct error *err);
/** keyblock_root_pem(ret, text, len, err): The same from memory. */
int keyblock_root_pem(struct keyblock_root **ret, const char *text, size_t len, struct error *err);
void keyblock_root_close(struct keyblock_root *r);

/* What the block has to be of; borrowed. */
struct keyblock_want {
    const uint8_t *blob;
    size_t blob_len;
    const char *instance; /* "": unknown, and then nothing holds */
    const char *region;   /* "": any, which is said */
    int64_t at_us;        /* of the authentication, unix */
    int64_t skew_us;      /* either way */
};

struct keyblock_holds {
    bool key, signature, chain, signer, instance, in_force; /* each alone */
};
struct keyblock_verdict {
    bool verified; /* all of it, and no second principal with as good a block */
    struct keyblock_holds holds;
    char caller[2048], request[64]; /* of the block that was judged, "" unless verified */
    int64_t expires_s;
    char words[512]; /* what holds, or what does not and why; one line, nothing of the key */
};

/** keyblock_judge(root, text, len, chain, chain_len, want, ret): Look for the block that holds.
 * ${root} NULL: no trust root is configured. */
void keyblock_judge(const struct keyblock_root *root, const char *text, size_t len,
                    const char *chain, size_t chain_len, const struct keyblock_want *want,
                    struct keyblock_verdict *ret);

#endif
