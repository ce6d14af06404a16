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

/* In a store; a bucket has versions and a log, a directory has neither. */
static const char *in_store(enum verify_verdict v, bool bucket)
{
    static const char *const words[VERIFY_VERDICTS][2] = {
        [VERIFY_GAP] = {"look for it in copies of the directory; while the host still has it: "
                        "ttytrail ship --again BATCH",
                        "look for it in older versions and in copies of the bucket; while the host "
                        "still has it: ttytrail ship --again BATCH"},
        [VERIFY_TRUNCATED] = {"as for gap; the part that is there can be read", NULL},
        [VERIFY_ALTERED] = {"while the host still has it: ttytrail ship --again BATCH; else look "
                            "in copies of the directory; find out who may write here",
                            "take the version with the signed hash, or while the host still has "
                            "it: ttytrail ship --again BATCH; find in the bucket's access log who "
                            "wrote the other"},
        [VERIFY_REPEATED] = {"the host sent a segment twice: was its disk copied, or ship.db put "
                             "back from a backup?",
                             NULL},
        [VERIFY_VERSIONS] = {"what is signed was found all the same; keep the other bytes, and "
                             "find out who may write here",
                             "what is signed was found all the same, or else is named; keep the "
                             "other bytes, and find in the bucket's access log who wrote them"},
        [VERIFY_UNSIGNED] = {"no program of ours wrote this: find out who may write here",
                             "no program of ours wrote this: find who did, and deny him PutObject "
                             "on this path"},
        [VERIFY_UNKNOWN_KEY] = {"ask the host for its public key on a road of your own; if it is "
                                "the same, pin it",
                                NULL},
        [VERIFY_WITHHELD] = {"read the reason, then on the host: ttytrail status", NULL},
        [VERIFY_BACK_DATED] = {"compare with the host's other batches: an outage or a clock that "
                               "was set explains it, or nothing does",
                               NULL},
        [VERIFY_SILENT] = {"was the host stopped or cut off from the store? on it: ttytrail status",
                           NULL},
        [VERIFY_ABSENT] = {"what was asked for is not here: is it written right, and is this the "
                           "store it was shipped to?",
                           NULL},
    };

    return bucket && words[v][1] != NULL ? words[v][1] : words[v][0];
}

const char *verify_remedy(const struct verify_line *l, enum verify_place place)
{
    if (!verify_is_finding(l->verdict)) {
        return NULL;
    }
    if (place == VERIFY_FILES) {
        return "a file proves nothing: write it anew, with ttytrail export, from the database or "
               "from what was shipped";
    }
    if (place == VERIFY_DATABASE) {
        return "keep this file as it is; what was shipped is out of this host's reach: ttytrail "
               "verify URL, and ttytrail import --db OTHER URL brings it back";
    }
    if (l->verdict == VERIFY_GAP && strcmp(l->what, "host") == 0 && l->trust == NULL) {
        return "is its name right? on the host: ttytrail status, ttytrail doctor";
    }
    return in_store(l->verdict, place == VERIFY_BUCKET);
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
