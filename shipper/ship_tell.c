/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/ship_tell.h"

#include <stdlib.h>
#include <string.h>

struct telling {
    struct state *state;
    struct reader *evidence;
    struct control *control;
    uint8_t (*told)[CHAIN_ID];
    size_t n, cap;
    struct error *err;
};

/* Once per session per batch. */
static int tell_member(void *user, const struct state_member *m)
{
    struct telling *t = user;
    struct session_row row;
    int64_t stored = 0;
    int rc;

    for (size_t i = t->n; i-- > 0;) {
        if (memcmp(t->told[i], m->session, CHAIN_ID) == 0) {
            return 0;
        }
    }
    if (t->n < t->cap) {
        memcpy(t->told[t->n++], m->session, CHAIN_ID);
    }
    session_row_init(&row);
    rc = reader_session(t->evidence, m->session_row, &row, t->err);
    if (rc == 1 && memcmp(row.id, m->session, CHAIN_ID) != 0) {
        rc = 0;
    }
    session_row_clear(&row);
    if (rc != 1) {
        return rc; /* gone since: nobody to tell */
    }
    if (state_stored(t->state, m->session, &stored, t->err) != 0) {
        return -1;
    }
    return stored > UINT32_MAX ? 0
                               : control_shipped(t->control, m->session, (uint32_t)stored, t->err);
}

int ship_tell(struct state *state, struct reader *evidence, struct control *control,
              const struct state_batch *b, struct error *err)
{
    struct telling t = {.state = state,
                        .evidence = evidence,
                        .control = control,
                        .cap = (size_t)b->segments,
                        .err = err};
    int rc;

    t.told = calloc(t.cap + 1, sizeof *t.told);
    if (t.told == NULL) {
        return err_sys(err, "allocate");
    }
    rc = state_members(state, b->id, tell_member, &t, err);
    free(t.told);
    return rc != 0 ? err_wrap(err, "tell the writer what is shipped")
                   : state_told(state, b->id, err);
}
