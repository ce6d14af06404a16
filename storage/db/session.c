/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/db/session.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "storage/seal/segment.h"
#include "storage/wire/facts.h"

void session_row_init(struct session_row *s)
{
    memset(s, 0, sizeof *s);
    buf_init(&s->facts, FACTS_MAX);
    buf_init(&s->carry, SEGMENT_MAX_BYTES);
}

void session_row_clear(struct session_row *s)
{
    free(s->kind);
    free(s->host);
    free(s->user);
    free(s->title);
    free(s->tty);
    free(s->command);
    free(s->exit);
    free(s->flags);
    buf_clear(&s->facts);
    buf_clear(&s->carry);
    session_row_init(s);
}

const char *session_state_name(enum session_state state)
{
    static const char *const names[] = {"open", "done", "cut"};

    return names[state];
}

bool session_row_imported(const struct session_row *s)
{
    return strcmp(s->writer_boot, SESSION_IMPORT_BOOT) == 0;
}

bool session_row_dead(const struct session_row *s)
{
    char boot[33];

    if (s->state != SESSION_OPEN || session_row_imported(s)) {
        return false;
    }
    clock_boot_id(boot);
    if (strcmp(boot, s->recorder_boot) != 0) {
        return true;
    }
    return !clock_process_alive((pid_t)s->recorder_pid, (uint64_t)s->recorder_start) &&
           !clock_process_alive((pid_t)s->writer_pid, (uint64_t)s->writer_start);
}
