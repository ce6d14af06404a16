/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: how messages lie on the writer's socket, in both directions, and in tails.  8 bytes of
 * header (body length, type, kind, two zero bytes), then the body.  A length above FRAME_MAX_BODY
 * is refused before anything is allocated.  Layout: docs/FORMAT.md, "Frame".
 */
#ifndef TTYTRAIL_WIRE_FRAME_H
#define TTYTRAIL_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define FRAME_HEADER     8U
#define SHIPPED_ENTRY    20U
#define SHIPPED_MANY     256U /* sessions in one frame, at most */
#define FRAME_MAX_BODY   (65536U + 16U)
#define WIRE_VERSION     1U /* and the one before it, once there is one (PITFALLS 30) */
#define WIRE_MIN_VERSION 1U

enum frame_type {
    /* recorder to writer */
    FRAME_OPEN = 1,   /* u32 version, then facts: begin a session.  A login's recorder passes its
                       * outer tty's descriptor (SCM_RIGHTS) with the frame's first byte. */
    FRAME_RESUME = 2, /* u32 version, 16 bytes session id: go on with one after a lost connection */
    FRAME_EVENT = 3,  /* u64 seq, u64 t_us, bytes; the kind stands in the header */
    FRAME_PENDING = 4, /* u64 t_us of the earliest undecided key, or ~0 for none */
    FRAME_BYE = 5,     /* empty: no further event will come; answered by a last ACK and GOODBYE */
    FRAME_PONG = 6,    /* empty */
    FRAME_WITNESS = 7, /* from root alone, first: u32 version, then facts of a login's PAM session;
                        * answered by WITNESSED */
    FRAME_NESTED = 8,  /* first, before OPEN: u32 version; a terminal on descriptor 0 is passed:
                        * does a session that is open record me already? */
    FRAME_INNER = 9,   /* empty, and the master of the session's own pty is passed */
    /* writer to recorder */
    FRAME_OPENED = 32,    /* 16 bytes session id, i64 start (unix us), then facts: the policy.  With
                           * its first byte comes the fresh descriptor of the outer tty, where one was
                           * passed and could be hung up: every older one answers EIO from then on. */
    FRAME_RESUMED = 33,   /* u64 highest committed seq */
    FRAME_ACK = 34,       /* u64 highest committed seq */
    FRAME_PING = 35,      /* empty */
    FRAME_GOODBYE = 36,   /* empty: everything is committed, the session is closed */
    FRAME_REFUSED = 37,   /* u32 enum err_kind, text */
    FRAME_READY = 38,     /* empty: a private writer has found its database usable */
    FRAME_WITNESSED = 39, /* empty: the connection is in the database */
    FRAME_FULL = 40, /* the evidence's disk is full: empty; before an OPEN's REFUSED, the policy */
    FRAME_FULL_OVER = 41, /* empty: it is not any more */
    FRAME_NESTING = 42,   /* answer to NESTED: empty for no, else 16 bytes id of the session that
                           * records it, then facts: the policy */
    FRAME_NESTED_IN = 43, /* u32 pid: a shell was run within this session, as a part of it */
    /* control socket: command to writer, each answered by DONE or REFUSED */
    FRAME_SHIPPED = 64,  /* SHIPPED_ENTRY bytes for each session: its id (16), u32 segments: all
                          * below  this number are in S3 */
    FRAME_SEAL_NOW = 65, /* 16 bytes session id, or empty for every session */
    FRAME_EPOCH = 66,    /* text: begin a new epoch, for this reason */
    FRAME_IMPORT = 67,   /* as OPEN, with the facts "started_us" and "import"; then EVENT and BYE */
    FRAME_NOTE = 68,     /* 16 bytes session id, text (with its own issue: refused for now) */
    FRAME_PRUNE = 69,    /* 16 bytes session id, u32 below, u32 most: remove bytes of segments */
    FRAME_GIVE_BACK = 70,      /* u32 pages: give so many free pages back to the file system */
    FRAME_IMPORT_SESSION = 71, /* u32 n, n bytes of facts: the row; then the session's own facts */
    FRAME_IMPORT_SEGMENT =
        72,             /* 16 bytes session id, u32 number, u32 offset, u32 n, facts, bytes */
    FRAME_VERDICT = 73, /* JSON on one line: who a connection was, for the host's journal */
    FRAME_DONE = 96,    /* facts, as the request's answer */
    /* writer to ttytrail-facts, one request a connection, answered by DONE or REFUSED */
    FRAME_FACTS_EXE = 112,     /* u32 pid, u64 start, 0 for any: DONE with `exe`, `start`, `uid` */
    FRAME_FACTS_HOLDERS = 113, /* and a tty's descriptor: DONE with `holders`, "pid:start ..." */
    FRAME_FACTS_HANGUP = 114,  /* u32 uid that has to own it, and a tty's descriptor: DONE, and the
                                * fresh descriptor */
    FRAME_FACTS_INSTANCE = 115 /* empty: DONE with `document`, `rsa2048`, `pkcs7` */
};

struct frame {
    uint8_t type;
    char kind;
    const uint8_t *body; /* borrowed */
    uint32_t len;
};

/** frame_put(out, type, kind, body, len, err): Append one frame to ${out}. */
int frame_put(struct buf *out, uint8_t type, char kind, const void *body, size_t len,
              struct error *err);
/** frame_next(bytes, len, ret, ret_used, err): The frame at ${bytes}: 1, *ret and *ret_used; 0 when
 * more bytes are needed; -1 CORRUPT. */
int frame_next(const uint8_t *bytes, size_t len, struct frame *ret, size_t *ret_used,
               struct error *err);

#endif
