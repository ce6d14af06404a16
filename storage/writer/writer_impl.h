/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer's files share: writer.c loop, turn.c commit, messages.c and control.c requests,
 * recover.c sessions of dead writers.  No other file includes it. */
#ifndef TTYTRAIL_WRITER_WRITER_IMPL_H
#define TTYTRAIL_WRITER_WRITER_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/db/store.h"
#include "storage/wire/event.h"
#include "storage/wire/policy_rules.h"
#include "storage/writer/checkpoint.h"
#include "storage/writer/names.h"
#include "storage/writer/peer.h"
#include "storage/writer/sealer.h"
#include "storage/writer/session.h"
#include "storage/writer/writer.h"

#define WRITER_CACHE_BYTES (16 * 1024 * 1024) /* tails kept in memory, all sessions together */
#define WRITER_EVENTS      32 /* peers in one turn: times PEER_TURN_BYTES is 2 MiB (PITFALLS 23) */
#define WRITER_DEFER_US    5000 /* how long typed input alone may wait for its commit */
#define WRITER_RETRY_US    200000
#define WRITER_GIVE_UP_US                                                                          \
    30000000 /* a private writer that nobody talks to, on a failing database */
#define WRITER_TICK_US       1000000
#define WRITER_CUT_MARGIN_S  5
#define WRITER_OPEN_MAX      64       /* sessions of one process; recorders have one */
#define WRITER_PEERS_UID     256      /* connections of one user, root and our own apart */
#define WRITER_PEERS_CONTROL 64       /* of all users on the control socket */
#define WRITER_SILENCE_US    10000000 /* who has said nothing by then is not coming */
#define WRITER_PING_US       30000000
#define WRITER_PAUSE_US      20000 /* until it is looked again who may be read */
#define WRITER_WAL_PASSIVE   (16 * 1024 * 1024)
#define WRITER_WAL_IDLE      (1024 * 1024)

struct seal_request { /* a SEAL_NOW that waits for its jobs */
    struct peer *peer;
    struct wsession *one; /* NULL: all */
    uint64_t until_us;
};

/* A user's connections: what all of them together may take (limits.c). */
struct wuser {
    struct wuser *next;
    uid_t uid;
    unsigned peers;
    int64_t tokens; /* bytes; below 0 when more came than user_kib_s allows */
    uint64_t filled_us, heard_us;
    size_t held;             /* bytes of whole events that are not committed */
    bool contended;          /* others have something to say too */
    bool paused;             /* not read for now */
    const struct peer *last; /* who of his was read last; NULL: nobody yet */
    bool past;               /* limits_each has come by it */
};

/* A connection that is open (witness.c): its row, and when it began here. */
struct wconn {
    struct wconn *next;
    struct connection_row info;
    uint64_t since_us;
};

struct writer {
    const struct writer_config *config;
    struct conf *conf;
    struct policy_rules rules;
    struct names *names;
    bool naming; /* somebody's opening waits for a name */
    struct wuser *users;
    bool paused; /* one of them is */
    struct store *store;
    struct sealer *sealer;
    struct checkpoint *checkpoint;
    struct peer *peers;
    struct wsession *sessions;
    struct wconn *conns;
    struct outer_ask *asks;   /* terminals that ttytrail-facts is hanging up */
    struct wsession *journal; /* of this host and boot; NULL until there is something to say */
    char run_dir[108];        /* where the listening socket lies; "" for none */
    size_t root_next;         /* sessions looked at in this round */
    uint64_t root_at_us, conns_at_us;
    struct seal_job *results; /* finished, not yet stored */
    struct seal_request seal_now;
    size_t jobs_away;
    int epoll_fd, done_fd;
    size_t segment_bytes, cache_left;
    int64_t wal_asked; /* the WAL's size at the last checkpoint that was asked for */
    bool private, stop;
    char host[256];
    uint8_t epoch[16];
    struct store_process self;
    uint64_t retry_at_us, tick_at_us, complained_us, failing_since_us, aside_until_us;
    uint64_t committed_us;          /* when the last transaction ended */
    uint64_t commits, commits_seen; /* at the last tick: is anybody busy? */
    uint64_t refused_us;            /* when a refusal was last logged, and how many since */
    unsigned long refused;
    uint64_t hung_up_us; /* the last hang-up: processes take a moment to die */
    bool deaf;           /* out of descriptors: the sockets are not watched until the next tick */
    struct seal_job *bad_job; /* why the transaction failed, if it was one segment's fault */
    bool commit_now, swept;
    bool full;     /* the disk: recorders were told */
    bool reserved; /* the reserve is there, as far as it can be */
    uint64_t reserve_at_us, rings_at_us;
    uint64_t grace_until_us; /* private: when to leave although a session is open */
};

/* writer.c */
struct wsession *writer_find(struct writer *w, const uint8_t id[16]);
void writer_add_session(struct writer *w, struct wsession *s);

/* identity.c */
/** identity_load(w, err): Host and epoch from the database, made at the first start. */
int identity_load(struct writer *w, struct error *err);

/* connections.c */
int connections_watch(struct writer *w, int fd, void *what, uint32_t events, struct error *err);
/** connections_add(w, fd, control, err): Takes ${fd}; the new peer is the first of the list. */
int connections_add(struct writer *w, int fd, bool control, struct error *err);
void connections_accept(struct writer *w, int fd, bool control);
/** connections_hang_up(w, p): It is over; what was received stays to be committed. */
void connections_hang_up(struct writer *w, struct peer *p);
/** connections_listen(w, listen): Watch the listening sockets, or do not: out of descriptors. */
void connections_listen(struct writer *w, bool listen);
/** connections_look(w): Notice hang-ups of peers that are not watched. */
void connections_look(struct writer *w);
/** connections_drop_silent(w, now_us): Who connected and said nothing goes. */
void connections_drop_silent(struct writer *w, uint64_t now_us);

/* messages.c */
/** messages_take(w, p): Deal with every whole frame that ${p} has; a breach of the rules ends it.
 */
void messages_take(struct writer *w, struct peer *p);
/** messages_named(w): Go on with those who waited for a name. */
void messages_named(struct writer *w);
/** messages_note(s, ev, err): What a mark or an exit tells of its session: flags, exit. */
int messages_note(struct wsession *s, const struct event *ev, struct error *err);

/* opening.c */
/** opening_version(f, err): USAGE unless ${f} begins with a version of the protocol that we speak.
 */
int opening_version(const struct frame *f, struct error *err);
/** opening_session(w, p, f, import, err): Begin a session for ${p}; an import keeps its own start.
 */
int opening_session(struct writer *w, struct peer *p, const struct frame *f, bool import,
                    struct error *err);
/** opening_policy(w, p, f, ret): The policy of a session that began with the facts ${f}. */
void opening_policy(const struct writer *w, const struct peer *p, const struct facts *f,
                    struct policy *ret);
/** opening_answer(w, p, fd): OPENED, with the fresh descriptor of its terminal, or -1. */
int opening_answer(struct writer *w, struct peer *p, int fd, struct error *err);
/** opening_attach(p, s): ${p} speaks for ${s} from now on. */
void opening_attach(struct peer *p, struct wsession *s);

/* limits.c: a private writer has none. */
/** limits_join(w, p): Count the new peer; without memory it has no limits. */
void limits_join(struct writer *w, struct peer *p);
void limits_leave(struct peer *p);
/** limits_spend(w, p, bytes, now_us): So much was received. */
void limits_spend(const struct writer *w, struct peer *p, size_t bytes, uint64_t now_us);
/** limits_wait(p): Whether ${p} is not to be read now: its user has had his share. */
bool limits_wait(const struct peer *p);
/** limits_each(w, visit): All peers; of each user's first those behind the one that was read last.
 * As epoll tells of them in the order in which they are armed, none is passed over. */
void limits_each(struct writer *w, void (*visit)(struct writer *w, struct peer *p));
/** limits_turn(w, now_us): Who is read, and who waits, as long as others have something to say too.
 */
void limits_turn(struct writer *w, uint64_t now_us);

/* rules.c */
/** rules_make(c, ret, err): The rules of a configuration. */
int rules_make(const struct conf *c, struct policy_rules *ret, struct error *err);
/** rules_load(w, err): Take them into force and publish them beside the recorders' socket; a
 * private writer publishes nothing. */
int rules_load(struct writer *w, struct error *err);
/** rules_load_published(w, err): There is no good configuration: what was published last stays in
 * force, else the built-in policy. */
int rules_load_published(struct writer *w, struct error *err);
/** rules_ready(w, p): Whether it is known who ${p} is, as far as it matters; else ${p} waits, and
 * is taken up again by messages_named. */
bool rules_ready(struct writer *w, struct peer *p);
/** rules_find(w, uid, way, ret): The policy of a user who came in by ${way}, a fact way_in. */
void rules_find(const struct writer *w, uid_t uid, const char *way, struct policy *ret);

/* control.c */
int control_request(struct writer *w, struct peer *p, const struct frame *f, struct error *err);
/* control_keep.c */
/** control_answer(p, names, values, n, err): DONE with these numbers. */
int control_answer(struct peer *p, const char *const *names, const int64_t *values, size_t n,
                   struct error *err);
int control_on_prune(struct writer *w, struct peer *p, const struct frame *f, struct error *err);
int control_on_give_back(struct writer *w, struct peer *p, const struct frame *f,
                         struct error *err);
/* control_import.c */
int control_on_import_session(struct writer *w, struct peer *p, const struct frame *f,
                              struct error *err);
int control_on_import_segment(struct writer *w, struct peer *p, const struct frame *f,
                              struct error *err);
/** control_progress(w): Answer a waiting SEAL_NOW when its jobs are done. */
void control_progress(struct writer *w);

/* witness.c */
/** witness_load(w): What an earlier writer of this boot left open. */
void witness_load(struct writer *w);
int witness_take(struct writer *w, struct peer *p, const struct frame *f, struct error *err);
/** witness_link(w, p, row): The connection among the ancestors of ${p}, if any: its facts go into
 * ${row} as conn.*; *ret is NULL for none. */
int witness_link(struct writer *w, const struct peer *p, struct session_row *row,
                 struct wconn **ret, struct error *err);
/** witness_linked(w, c, way_in): A session hangs on ${c} (within the caller's transaction). */
int witness_linked(struct writer *w, struct wconn *c, const char *way_in, struct error *err);
/** witness_tick(w, now_us): Classes of connections without sessions; those whose monitor is gone.
 */
void witness_tick(struct writer *w, uint64_t now_us);
void witness_forget(struct writer *w);

/* journal.c */
/** journal_say(w, fmt, ...): One mark in the host's journal, a session of kind `host`. */
void journal_say(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** journal_verdict(w, p, f, err): The command says who a connection was: a mark `verdict {...}`. */
int journal_verdict(struct writer *w, struct peer *p, const struct frame *f, struct error *err);
/** journal_load(w): Go on with this boot's, end those of earlier ones. */
void journal_load(struct writer *w);

/* rootwatch.c */
/** rootwatch_step(w, now_us): Look at some sessions: is a descendant root?  Each once a second. */
void rootwatch_step(struct writer *w, uint64_t now_us);

/* outer.c */
/** outer_ask(w, p): Have the terminal that ${p} passed hung up; true: OPENED waits for that. */
bool outer_ask(struct writer *w, struct peer *p);
/** outer_event(w, what): ${what} is one of these questions, and is answered. */
bool outer_event(struct writer *w, const void *what);
/** outer_tick(w, now_us, wait_us): Who waited too long gets none. */
void outer_tick(struct writer *w, uint64_t now_us, uint64_t *wait_us);
/** outer_forget(w, p_or_null): ${p} is gone; NULL: everybody. */
void outer_forget(struct writer *w, const struct peer *p);

/* nested.c */
/** nested_ask(w, p, f, err): Is ${p} recorded by a session that is open?  Tells both. */
int nested_ask(struct writer *w, struct peer *p, const struct frame *f, struct error *err);
/** nested_inner(w, p, f, err): ${p} shows its session's own pty. */
int nested_inner(struct writer *w, struct peer *p, const struct frame *f, struct error *err);
/** nested_drop_passed(p): A descriptor that came with a message that takes none goes. */
void nested_drop_passed(struct peer *p);

/* turn.c */
bool turn_due(struct writer *w, uint64_t now_us, uint64_t *ret_wait_us);
void turn_commit(struct writer *w);
/** turn_checkpoint(w, idle): Ask for a checkpoint when one is due. */
void turn_checkpoint(struct writer *w, bool idle);
/** turn_seal(w): Hand tails that are due to the sealing thread. */
void turn_seal(struct writer *w);
/** turn_seal_again(w): What failed for want of memory or by the disk is tried again; what cannot be
 * read is not. */
void turn_seal_again(struct writer *w);

/* private.c */
/** private_is_done(w): Nothing is left for a private writer to do. */
bool private_is_done(const struct writer *w);
/** private_grace(w, now_us): Its connection is gone: how long to stay, and a sweep before leaving.
 */
void private_grace(struct writer *w, uint64_t now_us);

/* disk.c */
/** disk_is_full(err): Whether a commit failed for want of room. */
bool disk_is_full(const struct error *err);
/** disk_full(w): Give the reserve up and tell recorders; once, until it is over. */
void disk_full(struct writer *w);
/** disk_tick(w, now_us): Make the reserve, see whether there is room again. */
void disk_tick(struct writer *w, uint64_t now_us);

/* ring_import.c */
/** ring_import_tick(w, now_us): Take in rings that their recorders have left, one at a time. */
void ring_import_tick(struct writer *w, uint64_t now_us);
/** ring_import_soon(w): A recorder is about to leave one. */
void ring_import_soon(struct writer *w);

/* recover.c */
/** recover_sweep(w): Take over what dead writers left unfinished, and cut what is dead (PITFALLS
 * 16). */
void recover_sweep(struct writer *w);
/** recover_orphans(w): Cut our own sessions whose recorder is gone; true when some may still be
 * dying. */
bool recover_orphans(struct writer *w);

#endif
