/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session row holds, as the store writes it and the reader returns it.  Value type; strings
 * are owned, never NULL.
 */
#ifndef TTYTRAIL_DB_SESSION_H
#define TTYTRAIL_DB_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "storage/seal/chain.h"

enum session_state { SESSION_OPEN, SESSION_DONE, SESSION_CUT };

struct session_row {
    int64_t row; /* the table's rowid */
    uint8_t id[CHAIN_ID];
    uint8_t epoch[CHAIN_ID]; /* birth epoch */
    char *kind;              /* "tty", "stream" (no terminal), "mixed", "import", "host" */
    char *host, *user, *title, *tty,
        *command; /* command: JSON array of argv, "" for a login shell */
    char *exit;   /* "", "exit 7", "signal 15", "cut" */
    char *flags;  /* blank-separated words, "" for none: commit-batch, lost-input, ... */
    int64_t uid, cols, rows;
    int64_t started_us, ended_us; /* unix; ended 0 while open */
    enum session_state state;
    int64_t segments;                    /* sealed so far; numbers 0 .. segments-1 */
    bool final;                          /* the last segment is marked final */
    int64_t shipped;                     /* segments below this number are in S3 */
    int64_t events, bytes_out, bytes_in; /* sealed and in the tail, as far as counted at sealing */
    int64_t redactions;
    uint8_t head[CHAIN_HASH];       /* after the last sealed segment */
    uint8_t tail_base[CHAIN_HASH];  /* running hash before the tail's first row */
    struct buf carry;               /* frames before the tail's first row */
    uint8_t carry_hash[CHAIN_HASH]; /* SHA-256 of head and carry */
    uint64_t last_t_us;             /* of the last sealed line */
    struct buf facts;               /* as they came */
    char writer_boot[33], recorder_boot[33];
    int64_t writer_pid, writer_start, recorder_pid, recorder_start;
};

void session_row_init(struct session_row *s);
void session_row_clear(struct session_row *s);
/** session_row_dead(s): Open, but neither its recorder nor its writer can go on: another boot, or
 * both processes are gone.  (The writer closes such a row later, PITFALLS 16; readers show it as
 * cut.) */
bool session_row_dead(const struct session_row *s);
/** session_row_imported(s): It was recorded elsewhere. */
bool session_row_imported(const struct session_row *s);
#define SESSION_IMPORT_BOOT "import" /* in writer_boot and recorder_boot of such a row */
const char *session_state_name(enum session_state state);

#endif
