/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/ship_tell.h"

#include <stdlib.h>
#include <string.h>

struct telling {
    struct state *state;
    struct control_told *told; /* one for each session of the batch */
    size_t n, cap;
    struct error *err;
};

/* Members of one session mostly stand together. */
static bool known(const struct telling *t, const uint8_t session[CHAIN_ID])
{
    for (size_t i = t->n; i-- > 0;) {
        if (memcmp(t->told[i].session, session, CHAIN_ID) == 0) {
            return true;
        }
    }
    return false;
}

static int add_member(void *user, const struct state_member *m)
{
    struct telling *t = user;
    int64_t stored = 0;

    if (known(t, m->session) || t->n == t->cap) {
        return 0;
    }
    if (state_stored(t->state, m->session, &stored, t->err) != 0) {
        return -1;
    }
    if (stored <= UINT32_MAX) {
        memcpy(t->told[t->n].session, m->session, CHAIN_ID);
        t->told[t->n++].segments = (uint32_t)stored;
    }
    return 0;
}

int ship_tell(struct state *state, struct control *control, const struct state_batch *b,
              struct error *err)
{
    struct telling t = {.state = state, .cap = (size_t)b->segments, .err = err};
    int rc;

    t.told = calloc(t.cap + 1, sizeof *t.told);
    if (t.told == NULL) {
        return err_sys(err, "allocate");
    }
    rc = state_members(state, b->id, add_member, &t, err);
    if (rc == 0) {
        rc = control_shipped_many(control, t.told, t.n, err);
    }
    free(t.told);
    return rc != 0 ? err_wrap(err, "tell the writer what is shipped")
                   : state_told(state, b->id, err);
}
