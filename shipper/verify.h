/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it all there, unaltered?  Of a database, of files, of a store.  Each check calls back with one
 * line per session (and per host or thing found wrong) and sums up.  Nothing is written anywhere;
 * no key but the public ones is needed.  What is read is foreign: bounded, never trusted.
 */
#ifndef TTYTRAIL_SHIPPER_VERIFY_H
#define TTYTRAIL_SHIPPER_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/err.h"

enum verify_verdict {
    VERIFY_COMPLETE, /* from its first line to its end */
    VERIFY_OPEN,     /* goes on, or its end is not here yet */
    VERIFY_READABLE, /* a bare file: well formed, but it carries no signature */
    VERIFY_ORPHAN,   /* a pack that no manifest tells of: of an attempt, or its manifest is gone */
    VERIFY_CUT,      /* ended without an end: recorder and writer were killed, power went */
    /* findings */
    VERIFY_GAP,         /* something is missing in between */
    VERIFY_TRUNCATED,   /* something is missing at the end */
    VERIFY_ALTERED,     /* bytes are not what was sealed or signed */
    VERIFY_REPEATED,    /* a segment stands in two batches */
    VERIFY_VERSIONS,    /* an object has more versions than one */
    VERIFY_UNSIGNED,    /* a manifest or key object without a signature of ours */
    VERIFY_UNKNOWN_KEY, /* signed by a key that no key object tells of */
    VERIFY_VERDICTS
};
/** verify_word(v): "complete", "open", "readable", "orphan", "cut", "gap", "truncated", "altered",
 * "repeated", "versions", "unsigned", "unknown key". */
const char *verify_word(enum verify_verdict v);
bool verify_is_finding(enum verify_verdict v);

struct verify_line {  /* borrowed; NULL and 0 where it does not apply */
    const char *what; /* "session", "host", "batch", "object", "file", "database", "store" */
    const char *id;
    enum verify_verdict verdict;
    const char *user, *title;
    int64_t started_us; /* unix */
    int64_t segments, bytes;
    const char *detail; /* what and where, for people; "" for none */
};

struct verify_sum {
    int64_t sessions[VERIFY_VERDICTS]; /* sessions (or files) per verdict */
    int64_t findings;                  /* lines that are findings, of whatever kind */
    int64_t hosts, batches, segments, bytes;
    int64_t orphans;    /* objects that no manifest needs: left-overs of attempts */
    bool versions_seen; /* the store told of versions */
};

struct verify {
    void (*line)(void *user, const struct verify_line *l);
    void *user;
    struct verify_sum sum;
};

/** verify_report(v, l): Count ${l} and pass it on. */
void verify_report(struct verify *v, const struct verify_line *l);

/** verify_db(v, path, session_or_null, err): A database, or one session of it (as reader_find takes
 * it). -1 when it cannot be read at all. */
int verify_db(struct verify *v, const char *path, const char *session_or_null, struct error *err);
/** verify_file(v, path, err): A .cast or .cast.gz, ours or anybody's. */
int verify_file(struct verify *v, const char *path, struct error *err);
/** verify_store(v, url, conf, err): All that lies below a bucket's prefix or in a directory. */
int verify_store(struct verify *v, const char *url, const struct conf *conf, struct error *err);

#endif
