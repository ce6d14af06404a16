/* SPDX-License-Identifier: Apache-2.0 */
/* What removes and gives back. */
#include <string.h>

#include "common/io.h"
#include "storage/wire/control_impl.h"
#include "storage/wire/frame.h"

int control_verdict(struct control *c, const char *json, size_t len, struct error *err)
{
    return control_ask(c, FRAME_VERDICT, json, len, NULL, err);
}

int control_prune(struct control *c, const uint8_t session[16], uint32_t below, uint32_t most,
                  int64_t *ret_segments, int64_t *ret_bytes, struct error *err)
{
    const struct control_wanted wanted[] = {
        {"segments", ret_segments}, {"bytes", ret_bytes}, {NULL, NULL}};
    uint8_t body[24];

    memcpy(body, session, 16);
    io_put_be32(body + 16, below);
    io_put_be32(body + 20, most);
    return control_ask(c, FRAME_PRUNE, body, sizeof body, wanted, err);
}

int control_give_back(struct control *c, uint32_t pages, int64_t *ret_left, struct error *err)
{
    const struct control_wanted wanted[] = {{"pages", ret_left}, {NULL, NULL}};
    uint8_t body[4];

    io_put_be32(body, pages);
    return control_ask(c, FRAME_GIVE_BACK, body, sizeof body, wanted, err);
}
