/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer for one subject.  Its JSON (one line, docs/FORMAT.md, "Verdicts") is what the host
 * journal, tables/ and `who --json` hold.
 */
#ifndef TTYTRAIL_TRAIL_VERDICT_H
#define TTYTRAIL_TRAIL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"

enum verdict_grade { VERDICT_NONE, VERDICT_AMBIGUOUS, VERDICT_WEAK, VERDICT_STRONG, VERDICT_EXACT };
enum verdict_digest { DIGEST_NONE, DIGEST_PENDING, DIGEST_VERIFIED, DIGEST_FAILED };

#define VERDICT_CANDIDATES 16U

struct verdict_candidate {
    char event[64];      /* eventID */
    char principal[512]; /* as a person would name it */
    char arn[2048];
    int64_t time_us;
    char address[256];
};

struct verdict {
    uint8_t subject[16]; /* of the connection or session */
    int64_t revision;    /* from 1; newest counts, older are kept */
    int64_t decided_us;
    enum verdict_grade grade;
    char rule[32]; /* "ssm-session", "signed-block", "key", "key-standing", "one-candidate",
                    * "window", "hop", "certificate", "key-map", "local", "nothing" */
    char way[32];  /* "Instance Connect", "Instance Connect Endpoint", "Session Manager", ... */
    char principal[512];   /* "alice@corp" */
    char role[256];        /* the role it came through, "" when none */
    char arn[2048];        /* of the credentials that opened the way in */
    char person_arn[2048]; /* at the end of the role chain; "" when it is the same */
    char source_identity[256], mfa[8], address[256];
    char event[64], event_name[64], object[1025];
    uint8_t record_sha256[32];
    int64_t event_us;
    enum verdict_digest digest;
    char ended_by[512]; /* TerminateSession by another; "" */
    char reasons[1024]; /* in words, "; " between */
    size_t candidates;
    struct verdict_candidate
        candidate[VERDICT_CANDIDATES]; /* of an ambiguous one, or what else was looked at */
};

const char *verdict_grade_word(enum verdict_grade g); /* "exact" */
const char *verdict_digest_word(enum verdict_digest d);

/** verdict_json(v, out, err): One object, no newline.  */
int verdict_json(const struct verdict *v, struct buf *out, struct error *err);
/** verdict_parse(j, text, len, ret, err): What verdict_json wrote; CORRUPT for others. */
int verdict_parse(struct json *j, const char *text, size_t len, struct verdict *ret,
                  struct error *err);
/** verdict_same(a, b): Whether they say the same, so that no revision is worth being written. */
bool verdict_same(const struct verdict *a, const struct verdict *b);
/** verdict_sentence(v, out, err): "alice@corp, through role Admin with MFA, by Instance Connect
 * from 203.0.113.9, exact: same key, verified log file". */
int verdict_sentence(const struct verdict *v, struct buf *out, struct error *err);

#endif
