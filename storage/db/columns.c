/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/db/columns.h"

#include <stdlib.h>
#include <string.h>

static int take_text(sqlite3_stmt *st, int column, char **ret, struct error *err)
{
    const char *text = (const char *)sqlite3_column_text(st, column);

    *ret = strdup(text == NULL ? "" : text);
    return *ret == NULL ? err_sys(err, "allocate") : 0;
}

static int take_blob(sqlite3_stmt *st, int column, uint8_t *ret, size_t len, struct error *err)
{
    if ((size_t)sqlite3_column_bytes(st, column) != len) {
        return err_set(err, ERR_CORRUPT, "session row %lld is damaged (column %d)",
                       (long long)sqlite3_column_int64(st, 0), column);
    }
    memcpy(ret, sqlite3_column_blob(st, column), len);
    return 0;
}

static void take_boot(sqlite3_stmt *st, int column, char ret[33])
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    size_t len = text == NULL ? 0 : strnlen(text, 32);

    if (len > 0) {
        memcpy(ret, text, len);
    }
    ret[len] = '\0';
}

int columns_session(sqlite3_stmt *st, struct session_row *s, struct error *err)
{
    int64_t state = sqlite3_column_int64(st, 14);

    session_row_clear(s);
    s->row = sqlite3_column_int64(st, 0);
    if (take_blob(st, 1, s->id, sizeof s->id, err) != 0 ||
        take_blob(st, 2, s->epoch, sizeof s->epoch, err) != 0 ||
        take_text(st, 3, &s->kind, err) != 0 || take_text(st, 4, &s->host, err) != 0 ||
        take_text(st, 5, &s->user, err) != 0 || take_text(st, 7, &s->title, err) != 0 ||
        take_text(st, 8, &s->tty, err) != 0 || take_text(st, 9, &s->command, err) != 0 ||
        take_text(st, 15, &s->exit, err) != 0 || take_text(st, 16, &s->flags, err) != 0 ||
        take_blob(st, 24, s->head, sizeof s->head, err) != 0 ||
        take_blob(st, 25, s->tail_base, sizeof s->tail_base, err) != 0 ||
        take_blob(st, 36, s->carry_hash, sizeof s->carry_hash, err) != 0) {
        return -1;
    }
    s->uid = sqlite3_column_int64(st, 6);
    s->cols = sqlite3_column_int64(st, 10);
    s->rows = sqlite3_column_int64(st, 11);
    s->started_us = sqlite3_column_int64(st, 12);
    s->ended_us = sqlite3_column_int64(st, 13);
    s->state = state == 1 ? SESSION_DONE : state == 2 ? SESSION_CUT : SESSION_OPEN;
    s->segments = sqlite3_column_int64(st, 17);
    s->final = sqlite3_column_int64(st, 18) != 0;
    s->shipped = sqlite3_column_int64(st, 19);
    s->events = sqlite3_column_int64(st, 20);
    s->bytes_out = sqlite3_column_int64(st, 21);
    s->bytes_in = sqlite3_column_int64(st, 22);
    s->redactions = sqlite3_column_int64(st, 23);
    s->last_t_us = (uint64_t)sqlite3_column_int64(st, 26);
    take_boot(st, 27, s->writer_boot);
    s->writer_pid = sqlite3_column_int64(st, 28);
    s->writer_start = sqlite3_column_int64(st, 29);
    take_boot(st, 30, s->recorder_boot);
    s->recorder_pid = sqlite3_column_int64(st, 31);
    s->recorder_start = sqlite3_column_int64(st, 32);
    if (buf_append(&s->carry, sqlite3_column_blob(st, 35), (size_t)sqlite3_column_bytes(st, 35),
                   err) != 0) {
        return -1;
    }
    return buf_append(&s->facts, sqlite3_column_blob(st, 33), (size_t)sqlite3_column_bytes(st, 33),
                      err);
}
