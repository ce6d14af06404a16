/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it all there, unaltered?  Of a database, of files, of a store.  Each check calls back with one
 * line per session (and per host or thing found wrong) and sums up.  Nothing is written anywhere;
 * no key but the public ones is needed.  What is read is foreign: bounded, never trusted; what it
 * claims costs nothing, only what is there.
 */
#ifndef TTYTRAIL_SHIPPER_VERIFY_H
#define TTYTRAIL_SHIPPER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/err.h"

enum verify_verdict {
    VERIFY_COMPLETE, /* from its first line to its end */
    VERIFY_OPEN,     /* goes on, or its end is not here yet */
    VERIFY_READABLE, /* a bare file: well formed, but it carries no signature */
    VERIFY_ORPHAN, /* nothing signed needs it: left by an attempt, or a pack whose manifest is gone
                    */
    VERIFY_CUT,    /* ended without an end: recorder and writer were killed, power went */
    /* findings */
    VERIFY_GAP,         /* something is missing in between */
    VERIFY_TRUNCATED,   /* something is missing at the end */
    VERIFY_ALTERED,     /* bytes are not what was sealed or signed */
    VERIFY_REPEATED,    /* a segment stands in two batches */
    VERIFY_VERSIONS,    /* other bytes than the signed ones beside them (a copy, a version), or
                           deletions */
    VERIFY_UNSIGNED,    /* a manifest or key object without a signature of ours */
    VERIFY_UNKNOWN_KEY, /* signed by a key that no key object tells of, or that is not pinned */
    VERIFY_WITHHELD,    /* the host says that it could not send it */
    VERIFY_BACK_DATED,  /* its time is not that of its neighbours, or of the store's clock */
    VERIFY_SILENT,      /* a host said nothing where it had to */
    VERIFY_ABSENT,      /* a host, day or session that was asked for is not here at all */
    VERIFY_VERDICTS
};
/** verify_word(v): "complete", "open", "readable", "orphan", "cut", "gap", "truncated", "altered",
 * "repeated", "versions", "unsigned", "unknown key", "withheld", "back-dated", "silent", "absent".
 */
const char *verify_word(enum verify_verdict v);
bool verify_is_finding(enum verify_verdict v);

struct verify_line {  /* borrowed; NULL and 0 where it does not apply */
    const char *what; /* "session", "host", "day", "batch", "object", "file", "database", "store" */
    const char *id;
    enum verify_verdict verdict;
    const char *user, *title;
    int64_t started_us; /* unix */
    int64_t segments, bytes;
    const char *detail; /* what and where, for people; "" for none */
    /* Where, for programs.  Of a host: how far its key is trusted ("pinned", "tofu", "unknown") and
     * which it is (hex); batch: 0 for none; segment, offset: of the first bad one, with its key. */
    const char *host, *object, *trust, *key;
    int64_t batch, segment, offset;
    bool has_segment;
};

enum verify_place { VERIFY_DATABASE, VERIFY_FILES, VERIFY_DIRECTORY, VERIFY_BUCKET };
/** verify_remedy(l, place): What people do about a finding there, one sentence, static; NULL for
 * what is none. */
const char *verify_remedy(const struct verify_line *l, enum verify_place place);

/* What of a store is looked at; NULL and "" for all. */
struct verify_scope {
    const char *host, *session; /* session: 32 hex digits, or the beginning of them */
    char since[11], until[11];  /* days as in names, both included */
};

/* The keys that may sign; with none of them the first one seen of a host is believed. */
struct verify_pin {
    char host[129];
    uint8_t epoch[16], key[32];
};
struct verify_pins {
    struct verify_pin *at;
    size_t n, cap;
};
/** verify_pins_parse(text, len, ret, err): Lines "HOST EPOCH KEY"; '#' begins a comment.  USAGE
 * names a wrong line.  ${ret} is cleared by the caller. */
int verify_pins_parse(const char *text, size_t len, struct verify_pins *ret, struct error *err);
void verify_pins_clear(struct verify_pins *p);

struct verify_names {
    char (*at)[129];
    size_t n, cap;
};
/** verify_names_parse(text, len, ret, err): Hosts, parted by blanks, commas or lines. */
int verify_names_parse(const char *text, size_t len, struct verify_names *ret, struct error *err);
void verify_names_clear(struct verify_names *n);

struct verify_progress {
    const char *doing; /* "listing", "keys", "batches" */
    size_t done, all;
    uint64_t bytes;
};

struct verify_sum {
    int64_t sessions[VERIFY_VERDICTS]; /* sessions (or files) per verdict */
    int64_t findings;                  /* lines that are findings, of whatever kind */
    int64_t hosts, batches, segments, bytes;
    int64_t orphans;    /* objects that nothing signed needs; each was a line */
    bool versions_seen; /* the store told of versions */
    /* Nothing is of the days asked for, though before and after: the days that were looked at. */
    char since[11], until[11];
};

struct verify_store;
struct verify {
    void (*line)(void *user, const struct verify_line *l);
    void *user;
    struct verify_sum sum;
    /* Of a store only; zeroed is everything, by the first keys seen, one thread. */
    void (*progress)(void *user, const struct verify_progress *p); /* one thread at a time */
    struct verify_scope scope;
    const struct verify_pins *pins;   /* NULL: trust on first use */
    const struct verify_names *hosts; /* that have to be there; NULL: none is known */
    unsigned jobs;                    /* threads, 1 to VERIFY_JOBS_MAX */
    bool quick;                       /* sizes of packs, not their bytes */
    /* For import: called last, with all that was found. */
    int (*then)(void *user, struct verify_store *vs, struct error *err);
    int64_t late_us; /* how long after its making a manifest may be stored; 0: ever */
    int64_t at_us;   /* unix: when silence is judged; 0: it is not */
};
#define VERIFY_JOBS_MAX 32U

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
