/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static char kind_of(const char *stream)
{
    return strcmp(stream, "stdin") == 0    ? 'i'
           : strcmp(stream, "stdout") == 0 ? 'o'
           : strcmp(stream, "stderr") == 0 ? 'e'
                                           : '\0';
}

static void count_mark(struct kept *k, const struct timeline_event *ev, const char *kinds)
{
    char text[160], what[8], stream[8];
    uint64_t bytes = 0, kept = 0;
    size_t n = ev->len < sizeof text ? ev->len : sizeof text - 1;
    int found;
    char kind;

    memcpy(text, ev->bytes, n);
    text[n] = '\0';
    found = sscanf(text, "%7[a-z] %7[a-z] bytes=%" SCNu64 " kept=%" SCNu64, what, stream, &bytes,
                   &kept);
    if (found < 3 || (kind = kind_of(stream)) == '\0' || strchr(kinds, kind) == NULL) {
        return;
    }
    if (found == 4 && strcmp(what, "burst") == 0 && kept < bytes) {
        k->bursts++;
        k->missing += bytes - kept;
    } else if (found == 3 && strcmp(what, "stream") == 0) {
        k->streams += bytes;
    }
}

void kept_count(struct kept *k, const struct timeline_event *ev, const char *kinds)
{
    if (ev->kind == 'm') {
        count_mark(k, ev, kinds);
    } else if (ev->kind != '\0' && strchr(kinds, ev->kind) != NULL) {
        k->here += ev->len;
    }
}

bool kept_text(const struct kept *k, char *ret, size_t size)
{
    if (k->bursts > 0) {
        (void)snprintf(ret, size,
                       "%" PRIu64 " burst%s of output %s longer than is kept: %" PRIu64
                       " of %" PRIu64 " bytes are here",
                       k->bursts, k->bursts == 1 ? "" : "s", k->bursts == 1 ? "was" : "were",
                       k->here, k->here + k->missing);
        return true;
    }
    /* stream_kib = 0, or stream_input = off: counted, and nothing kept. */
    if (k->here == 0 && k->streams > 0) {
        (void)snprintf(ret, size,
                       "this stream was counted, not kept: 0 of %" PRIu64 " bytes are here",
                       k->streams);
        return true;
    }
    return false;
}
