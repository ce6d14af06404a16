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
        [VERIFY_WITHHELD] = "withheld",
        [VERIFY_BACK_DATED] = "back-dated",
        [VERIFY_SILENT] = "silent",
        [VERIFY_ABSENT] = "absent",
    };

    return words[v];
}

bool verify_is_finding(enum verify_verdict v)
{
    return v >= VERIFY_GAP;
}

const char *verify_remedy(enum verify_verdict v)
{
    static const char *const words[VERIFY_VERDICTS] = {
        [VERIFY_GAP] = "look for it in older versions and in copies of the bucket; while the host "
                       "still has it: ttytrail ship --again BATCH",
        [VERIFY_TRUNCATED] = "as for gap; the part that is there can be read",
        [VERIFY_ALTERED] = "take the version with the signed hash; find in the bucket's access log "
                           "who wrote the other",
        [VERIFY_REPEATED] = "the host sent a segment twice: was its disk copied, or ship.db put "
                            "back from a backup?",
        [VERIFY_VERSIONS] = "what is signed was found all the same, or else is named; find who "
                            "wrote the other bytes, and keep them",
        [VERIFY_UNSIGNED] = "no program of ours wrote this: find who did, and deny him PutObject "
                            "on this path",
        [VERIFY_UNKNOWN_KEY] = "ask the host for its public key on a road of your own; if it is "
                               "the same, pin it",
        [VERIFY_WITHHELD] = "read the reason, then on the host: ttytrail status",
        [VERIFY_BACK_DATED] = "compare with the host's other batches: an outage or a clock that "
                              "was set explains it, or nothing does",
        [VERIFY_SILENT] = "was the host stopped or cut off from the store? on it: ttytrail status",
        [VERIFY_ABSENT] = "what was asked for is not here: is it written right, and is this the "
                          "store it was shipped to?",
    };

    return words[v];
}

void verify_report(struct verify *v, const struct verify_line *l)
{
    if (strcmp(l->what, "session") == 0 || strcmp(l->what, "file") == 0) {
        v->sum.sessions[l->verdict]++;
        v->sum.segments += l->segments;
        v->sum.bytes += l->bytes;
    } else if (l->trust != NULL) {
        v->sum.hosts++;
    }
    v->sum.findings += verify_is_finding(l->verdict);
    if (v->line != NULL) {
        v->line(v->user, l);
    }
}
