/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/verify.h"

#include <string.h>

const char *verify_word(enum verify_verdict v)
{
    static const char *const words[VERIFY_VERDICTS] = {
        [VERIFY_COMPLETE] = "complete",
        [VERIFY_OPEN] = "open",
        [VERIFY_READABLE] = "readable",
        [VERIFY_ORPHAN] = "orphan",
        [VERIFY_CUT] = "cut",
        [VERIFY_GAP] = "gap",
        [VERIFY_TRUNCATED] = "truncated",
        [VERIFY_ALTERED] = "altered",
        [VERIFY_REPEATED] = "repeated",
        [VERIFY_VERSIONS] = "versions",
        [VERIFY_UNSIGNED] = "unsigned",
        [VERIFY_UNKNOWN_KEY] = "unknown key",
    };

    return words[v];
}

bool verify_is_finding(enum verify_verdict v)
{
    return v >= VERIFY_GAP;
}

void verify_report(struct verify *v, const struct verify_line *l)
{
    if (strcmp(l->what, "session") == 0 || strcmp(l->what, "file") == 0) {
        v->sum.sessions[l->verdict]++;
        v->sum.segments += l->segments;
        v->sum.bytes += l->bytes;
    } else if (strcmp(l->what, "host") == 0) {
        v->sum.hosts++;
    }
    v->sum.findings += verify_is_finding(l->verdict);
    if (v->line != NULL) {
        v->line(v->user, l);
    }
}
