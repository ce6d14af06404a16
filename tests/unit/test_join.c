/* SPDX-License-Identifier: Apache-2.0 */
/* Who it was: subjects and events to verdicts.  No exact verdict is ever for the wrong person. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "trail/join.h"

#define LOGIN (INT64_C(1795780800) * 1000000) /* of every subject */
#define S     INT64_C(1000000)
#define KEY   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define OTHER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define ALICE "arn:aws:sts::111122223333:assumed-role/Admin/alice@corp"
#define BOB   "arn:aws:iam::111122223333:user/bob"
#define ROLE  "arn:aws:sts::111122223333:assumed-role/Deploy/run-7"

enum {
    FAILS = 1,
    HIDDEN = 2,
    BAD_FILE = 4,
    NO_FILE = 8,
    MONITOR = 16,
    PENDING = 32,
    OTHER_KEY = 64
};

/* An event, around the login. */
struct ev {
    enum trail_kind kind;
    int at_s;
    const char *arn;
    unsigned flags;
    const char *what; /* instance of a push, session, port of a tunnel, key that was issued */
};

/* What is not as usual with a subject. */
enum {
    FORGED = 1,   /* the key by the user's word */
    STANDING = 2, /* it stands in authorized_keys */
    NO_KEY = 4,   /* the host could not tell it */
    PASSWORD = 8,
    BLOCK = 16,     /* a block of alice's that verified */
    OLD_BLOCK = 32, /* ... which was over an hour ago */
    SSM = 64,
    SSM_SSH = 128,
    SERIAL = 256,
    LOCAL = 512,
    OWNER = 1024, /* the agent says alice */
    HOP = 2048,
    CERTIFICATE = 4096,
    OWNED = 8192,    /* the key is in the list of owners */
    CLOCK = 16384,   /* the host's clock may be 30 s wrong */
    DIGESTS = 32768, /* of the trail */
    UNREAD = 65536,  /* it is read up to the login */
};

#define MAX_EVENTS 4
static const struct row {
    const char *name;
    unsigned with;
    struct ev events[MAX_EVENTS];
    enum verdict_grade grade;
    const char *rule, *principal;
} rows[] = {
    {"a key", 0, {{TRAIL_PUSH, -5, ALICE, 0, "i-1"}}, VERDICT_EXACT, "key", "alice@corp"},
    {"nothing", 0, {{TRAIL_NOISE, 0, NULL, 0, NULL}}, VERDICT_NONE, "nothing", ""},
    {"59 s before", 0, {{TRAIL_PUSH, -59, ALICE, 0, "i-1"}}, VERDICT_EXACT, "key", "alice@corp"},
    {"too long before", 0, {{TRAIL_PUSH, -63, ALICE, 0, "i-1"}}, VERDICT_NONE, "nothing", ""},
    {"the clocks differ by a second",
     0,
     {{TRAIL_PUSH, 1, ALICE, 0, "i-1"}},
     VERDICT_EXACT,
     "key",
     "alice@corp"},
    {"after the login", 0, {{TRAIL_PUSH, 3, ALICE, 0, "i-1"}}, VERDICT_NONE, "nothing", ""},
    {"a bad clock", CLOCK, {{TRAIL_PUSH, 20, ALICE, 0, "i-1"}}, VERDICT_EXACT, "key", "alice@corp"},
    {"a failed call", 0, {{TRAIL_PUSH, -5, ALICE, FAILS, "i-1"}}, VERDICT_NONE, "nothing", ""},
    {"another instance", 0, {{TRAIL_PUSH, -5, ALICE, 0, "i-2"}}, VERDICT_NONE, "nothing", ""},
    {"pushed to two instances",
     0,
     {{TRAIL_PUSH, -6, BOB, 0, "i-2"}, {TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_EXACT,
     "key",
     "alice@corp"},
    {"another key", 0, {{TRAIL_PUSH, -5, ALICE, OTHER_KEY, "i-1"}}, VERDICT_NONE, "nothing", ""},
    {"another's key beside",
     0,
     {{TRAIL_PUSH, -4, BOB, OTHER_KEY, "i-1"}, {TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_EXACT,
     "key",
     "alice@corp"},
    {"twice by one",
     0,
     {{TRAIL_PUSH, -9, ALICE, 0, "i-1"}, {TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_EXACT,
     "key",
     "alice@corp"},
    {"a key that another pushed seconds before",
     0,
     {{TRAIL_PUSH, -9, BOB, 0, "i-1"}, {TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_AMBIGUOUS,
     "key",
     ""},
    {"it stands in authorized_keys",
     STANDING,
     {{TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_STRONG,
     "key-standing",
     "alice@corp"},
    {"an edited SSH_USER_AUTH",
     FORGED,
     {{TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_WEAK,
     "key-standing",
     "alice@corp"},
    {"a password", PASSWORD, {{TRAIL_PUSH, -5, ALICE, 0, "i-1"}}, VERDICT_NONE, "nothing", ""},
    {"the console's key",
     0,
     {{TRAIL_PUSH, -5, ALICE, HIDDEN, "i-1"}},
     VERDICT_STRONG,
     "one-candidate",
     "alice@corp"},
    {"two consoles",
     0,
     {{TRAIL_PUSH, -7, BOB, HIDDEN, "i-1"}, {TRAIL_PUSH, -5, ALICE, HIDDEN, "i-1"}},
     VERDICT_AMBIGUOUS,
     "one-candidate",
     ""},
    {"a console beside a key",
     0,
     {{TRAIL_PUSH, -7, BOB, HIDDEN, "i-1"}, {TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_EXACT,
     "key",
     "alice@corp"},
    {"a console, and a standing key",
     STANDING,
     {{TRAIL_PUSH, -5, ALICE, HIDDEN, "i-1"}},
     VERDICT_WEAK,
     "one-candidate",
     "alice@corp"},
    {"a key nobody saw",
     NO_KEY,
     {{TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_STRONG,
     "one-candidate",
     "alice@corp"},
    {"a key nobody saw, two",
     NO_KEY,
     {{TRAIL_PUSH, -7, BOB, 0, "i-1"}, {TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_AMBIGUOUS,
     "one-candidate",
     ""},
    {"a signed block",
     BLOCK,
     {{TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_EXACT,
     "signed-block",
     "alice@corp"},
    {"a signed block of a standing key",
     BLOCK | STANDING,
     {{TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_EXACT,
     "signed-block",
     "alice@corp"},
    {"a signed block, no record yet",
     BLOCK | UNREAD,
     {{TRAIL_NOISE, 0, NULL, 0, NULL}},
     VERDICT_STRONG,
     "signed-block",
     "alice@corp"},
    {"a replayed block", OLD_BLOCK, {{TRAIL_PUSH, -5, BOB, 0, "i-1"}}, VERDICT_EXACT, "key", "bob"},
    {"the record names another caller",
     BLOCK,
     {{TRAIL_PUSH, -5, BOB, 0, "i-1"}},
     VERDICT_AMBIGUOUS,
     "signed-block",
     ""},
    {"Session Manager",
     SSM,
     {{TRAIL_START, -2, ALICE, 0, "s-1"}},
     VERDICT_EXACT,
     "ssm-session",
     "alice@corp"},
    {"Session Manager, resumed by another",
     SSM,
     {{TRAIL_START, -2, ALICE, 0, "s-1"}, {TRAIL_RESUME, 60, BOB, 0, "s-1"}},
     VERDICT_AMBIGUOUS,
     "ssm-session",
     ""},
    {"another session", SSM, {{TRAIL_START, -2, ALICE, 0, "s-2"}}, VERDICT_NONE, "nothing", ""},
    {"only the agent knows",
     SSM | OWNER,
     {{TRAIL_NOISE, 0, NULL, 0, NULL}},
     VERDICT_STRONG,
     "ssm-session",
     "alice@corp"},
    {"agent and record differ",
     SSM | OWNER,
     {{TRAIL_START, -2, BOB, 0, "s-1"}},
     VERDICT_AMBIGUOUS,
     "ssm-session",
     ""},
    {"agent and record agree",
     SSM | OWNER,
     {{TRAIL_START, -2, ALICE, 0, "s-1"}},
     VERDICT_EXACT,
     "ssm-session",
     "alice@corp"},
    {"ssh over Session Manager",
     SSM_SSH,
     {{TRAIL_START, -2, ALICE, 0, "s-1"}, {TRAIL_PUSH, -3, BOB, 0, "i-1"}},
     VERDICT_EXACT,
     "ssm-session",
     "alice@corp"},
    {"a start that failed",
     SSM,
     {{TRAIL_START, -2, ALICE, FAILS, "s-1"}},
     VERDICT_NONE,
     "nothing",
     ""},
    {"the serial console",
     SERIAL,
     {{TRAIL_SERIAL, -1800, ALICE, 0, "i-1"}},
     VERDICT_WEAK,
     "window",
     "alice@corp"},
    {"who only looks on",
     SERIAL,
     {{TRAIL_SERIAL, -1800, ALICE, MONITOR, "i-1"}},
     VERDICT_NONE,
     "nothing",
     ""},
    {"two at the console",
     SERIAL,
     {{TRAIL_SERIAL, -1800, ALICE, 0, "i-1"}, {TRAIL_SERIAL, -60, BOB, 0, "i-1"}},
     VERDICT_AMBIGUOUS,
     "window",
     ""},
    {"a tunnel", 0, {{TRAIL_TUNNEL, -3, ALICE, 0, "22"}}, VERDICT_WEAK, "window", "alice@corp"},
    {"a tunnel to another port",
     0,
     {{TRAIL_TUNNEL, -3, ALICE, 0, "2222"}},
     VERDICT_NONE,
     "nothing",
     ""},
    {"a tunnel and a key",
     0,
     {{TRAIL_TUNNEL, -3, BOB, 0, "22"}, {TRAIL_PUSH, -5, ALICE, 0, "i-1"}},
     VERDICT_EXACT,
     "key",
     "alice@corp"},
    {"a second hop", HOP, {{TRAIL_NOISE, 0, NULL, 0, NULL}}, VERDICT_STRONG, "hop", "carol"},
    {"a certificate",
     CERTIFICATE,
     {{TRAIL_NOISE, 0, NULL, 0, NULL}},
     VERDICT_STRONG,
     "certificate",
     "dave"},
    {"a known key", OWNED, {{TRAIL_NOISE, 0, NULL, 0, NULL}}, VERDICT_STRONG, "key-map", "erin"},
    {"su on the host", LOCAL, {{TRAIL_PUSH, -5, ALICE, 0, "i-1"}}, VERDICT_NONE, "local", ""},
    {"a file that fails its digest",
     DIGESTS,
     {{TRAIL_PUSH, -5, ALICE, BAD_FILE, "i-1"}},
     VERDICT_WEAK,
     "key",
     "alice@corp"},
    {"a file outside the chain",
     DIGESTS,
     {{TRAIL_PUSH, -5, ALICE, NO_FILE, "i-1"}},
     VERDICT_WEAK,
     "key",
     "alice@corp"},
    {"a file whose digest is to come",
     DIGESTS,
     {{TRAIL_PUSH, -5, ALICE, PENDING, "i-1"}},
     VERDICT_EXACT,
     "key",
     "alice@corp"},
    {"a forged record of a session",
     DIGESTS | SSM,
     {{TRAIL_START, -2, BOB, NO_FILE, "s-1"}},
     VERDICT_WEAK,
     "ssm-session",
     "bob"},
    {"a chain of roles",
     0,
     {{TRAIL_ASSUME, -900, BOB, 0, "ASIADEPLOY"}, {TRAIL_PUSH, -5, ROLE, 0, "i-1"}},
     VERDICT_EXACT,
     "key",
     "bob"},
    {"a chain that goes round",
     0,
     {{TRAIL_ASSUME, -900, ROLE, 0, "ASIADEPLOY"}, {TRAIL_PUSH, -5, ROLE, 0, "i-1"}},
     VERDICT_EXACT,
     "key",
     "run-7"},
};

/* ---- events in memory ---- */

static struct trail_stored stored[MAX_EVENTS];
static size_t n_stored;

static void set(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%s", text);
}
#define SET(field, text) set((field), sizeof(field), (text))

static void identity(struct trail_identity *w, const char *arn)
{
    SET(w->arn, arn);
    if (strcmp(arn, BOB) == 0) {
        SET(w->type, "IAMUser");
        SET(w->user_name, "bob");
        SET(w->access_key, "AKIABOB");
        return;
    }
    SET(w->type, "AssumedRole");
    SET(w->issuer_type, "Role");
    SET(w->session_name, strrchr(arn, '/') + 1);
    SET(w->issuer_arn, strcmp(arn, ROLE) == 0 ? "arn:aws:iam::111122223333:role/Deploy"
                                              : "arn:aws:iam::111122223333:role/Admin");
    SET(w->access_key, strcmp(arn, ROLE) == 0 ? "ASIADEPLOY" : "ASIAALICE");
}

static void event(struct trail_stored *s, const struct ev *ev, size_t n)
{
    struct trail_event *e = &s->event;

    memset(s, 0, sizeof *s);
    e->kind = ev->kind;
    (void)snprintf(e->id, sizeof e->id, "event-%zu", n);
    e->time_us = LOGIN + ev->at_s * S;
    identity(&e->who, ev->arn);
    SET(e->request_id, "request-1");
    SET(e->error, (ev->flags & FAILS) != 0 ? "AccessDenied" : "");
    SET(e->os_user, "ec2-user");
    SET(e->key, (ev->flags & HIDDEN) != 0 ? "" : (ev->flags & OTHER_KEY) != 0 ? OTHER : KEY);
    e->monitor = (ev->flags & MONITOR) != 0;
    if (ev->kind == TRAIL_PUSH || ev->kind == TRAIL_SERIAL) {
        SET(e->instance, ev->what);
    } else if (ev->kind == TRAIL_START || ev->kind == TRAIL_RESUME || ev->kind == TRAIL_TERMINATE) {
        SET(e->session, ev->what);
        SET(e->instance, ev->kind == TRAIL_START ? "i-1" : "");
    } else if (ev->kind == TRAIL_TUNNEL) {
        SET(e->tunnel_address, "10.0.0.7");
        SET(e->tunnel_port, ev->what);
    } else if (ev->kind == TRAIL_ASSUME) {
        SET(e->issued_key, ev->what);
    }
    s->digest = (ev->flags & BAD_FILE) != 0  ? DIGEST_FAILED
                : (ev->flags & NO_FILE) != 0 ? DIGEST_NONE
                : (ev->flags & PENDING) != 0 ? DIGEST_PENDING
                                             : DIGEST_VERIFIED;
}

static int by_time(const void *a, const void *b)
{
    const struct trail_stored *x = a, *y = b;

    return x->event.time_us < y->event.time_us ? -1 : x->event.time_us > y->event.time_us;
}

static bool asked(const char *want, const char *has)
{
    return want == NULL || *want == '\0' || strcmp(want, has) == 0;
}

static int events(void *user, const struct trail_query *q,
                  int (*cb)(void *user, const struct trail_stored *e), void *cb_user,
                  struct error *err)
{
    (void)user;
    (void)err;
    for (size_t i = 0; i < n_stored; i++) {
        const struct trail_event *e = &stored[i].event;

        if ((q->kinds == 0 || (q->kinds & 1U << e->kind) != 0) && e->time_us >= q->from_us &&
            (q->to_us == 0 || e->time_us <= q->to_us) && asked(q->instance, e->instance) &&
            asked(q->session, e->session) && asked(q->issued_key, e->issued_key)) {
            int rc = cb(cb_user, &stored[i]);

            if (rc != 0) {
                return rc;
            }
        }
    }
    return 0;
}

/* ---- subjects ---- */

static void subject(struct subject *s, unsigned with)
{
    memset(s, 0, sizeof *s);
    s->has_connection = true;
    s->opened_us = LOGIN;
    s->way = (with & SSM) != 0       ? SUBJECT_SSM
             : (with & SSM_SSH) != 0 ? SUBJECT_SSM_SSH
             : (with & SERIAL) != 0  ? SUBJECT_SERIAL
             : (with & LOCAL) != 0   ? SUBJECT_LOCAL
                                     : SUBJECT_SSH;
    s->clock_error_us = (with & CLOCK) != 0 ? 30 * S : 0;
    SET(s->instance, "i-1");
    SET(s->private_ip, "10.0.0.7");
    SET(s->server_port, "22");
    SET(s->os_user, "ec2-user");
    SET(s->method, (with & PASSWORD) != 0 ? "password" : "publickey");
    SET(s->key, (with & (NO_KEY | PASSWORD | SSM | SERIAL)) != 0 ? "" : KEY);
    s->key_from_witness = (with & FORGED) == 0;
    s->key_standing = (with & STANDING) != 0;
    SET(s->ssm_session, (with & (SSM | SSM_SSH)) != 0 ? "s-1" : "");
    SET(s->ssm_owner, (with & OWNER) != 0 ? ALICE : "");
    SET(s->cert_key_id, (with & CERTIFICATE) != 0 ? "dave" : "");
    SET(s->hop_from, (with & HOP) != 0 ? "00112233445566778899aabbccddeeff" : "");
    if ((with & (BLOCK | OLD_BLOCK)) != 0) {
        SET(s->eic_caller, ALICE);
        SET(s->eic_request, "request-1");
        s->eic_expires_us = LOGIN + ((with & OLD_BLOCK) != 0 ? -3600 : 55) * S;
    }
}

static bool owner(void *user, const char *fingerprint, char *ret, size_t size)
{
    (void)snprintf(ret, size, "erin");
    return (*(unsigned *)user & OWNED) != 0 && strncmp(fingerprint, "SHA256:", 7) == 0;
}

static bool verdict(void *user, const char *id, struct verdict *ret)
{
    (void)user;
    (void)id;
    memset(ret, 0, sizeof *ret);
    ret->grade = VERDICT_EXACT;
    SET(ret->principal, "carol");
    return true;
}

static void joined(const struct row *r, struct verdict *ret)
{
    unsigned with = r->with;
    const struct join_config c = {.skew_us = S,
                                  .read_us = LOGIN + ((with & UNREAD) != 0 ? 0 : 3600) * S,
                                  .digested = (with & DIGESTS) != 0,
                                  .now_us = LOGIN + 7200 * S,
                                  .owner = owner,
                                  .verdict = verdict,
                                  .user = &with};
    const struct trail_events from = {events, NULL};
    struct subject *s = malloc(sizeof *s);
    struct error err;

    assert_non_null(s);
    n_stored = 0;
    for (size_t i = 0; i < MAX_EVENTS && r->events[i].arn != NULL; i++) {
        event(&stored[n_stored], &r->events[i], i);
        n_stored++;
    }
    qsort(stored, n_stored, sizeof stored[0], by_time);
    subject(s, with);
    MUST(join(&c, &from, s, ret, &err));
    free(s);
}

static struct verdict v, again;

static void is_who_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];

        joined(r, &v);
        if (v.grade != r->grade || strcmp(v.rule, r->rule) != 0 ||
            strcmp(v.principal, r->principal) != 0) {
            fail_msg("%s: %s, %s, '%s' (%s)", r->name, verdict_grade_word(v.grade), v.rule,
                     v.principal, v.reasons);
        }
        /* An ambiguous one names all, any other the one it is of. */
        assert_true(v.grade == VERDICT_AMBIGUOUS ? v.candidates > 1 : v.candidates == 0);
    }
}

static void says_so_in_words(void **state)
{
    static const struct {
        const char *row, *sentence;
    } cases[] = {
        {"a key",
         "alice@corp, through role Admin, by Instance Connect, exact: same key, verified log file"},
        {"a key that another pushed seconds before",
         "one of 2: bob or alice@corp, by Instance Connect, ambiguous: same key; more than one "
         "principal"},
        {"nothing", "nobody that CloudTrail knows: nobody pushed its key in the minute before"},
        {"su on the host", "somebody of this host, whom AWS does not know"},
        {"a file outside the chain",
         "alice@corp, through role Admin, by Instance Connect, weak: same key; its log file "
         "stands outside the chain of digests"},
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;

        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
            if (strcmp(rows[k].name, cases[i].row) == 0) {
                joined(&rows[k], &v);
            }
        }
        buf_init(&out, 65536);
        MUST(verdict_sentence(&v, &out, &err));
        assert_string_equal(buf_text(&out, NULL), cases[i].sentence);
        buf_clear(&out);
    }
}

static void comes_back_from_json(void **state)
{
    struct json *j = NULL;
    struct error err;

    (void)state;
    MUST(json_open(&j, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;

        joined(&rows[i], &v);
        v.revision = 7;
        buf_init(&out, 1U << 20);
        MUST(verdict_json(&v, &out, &err));
        MUST(verdict_parse(j, (const char *)buf_data(&out), out.len, &again, &err));
        assert_memory_equal(&v, &again, sizeof v);
        assert_true(verdict_same(&v, &again));
        again.grade = again.grade == VERDICT_NONE ? VERDICT_WEAK : VERDICT_NONE;
        assert_false(verdict_same(&v, &again));
        assert_int_equal(verdict_parse(j, (const char *)buf_data(&out), out.len / 2, &again, &err),
                         -1);
        buf_clear(&out);
    }
    assert_int_equal(verdict_parse(j, "{\"subject\":1}", 13, &again, &err), -1);
    json_close(j);
}

static void tells_who_ended_it(void **state)
{
    static const struct row r = {
        "ended by bob",
        SSM,
        {{TRAIL_START, -2, ALICE, 0, "s-1"}, {TRAIL_TERMINATE, 60, BOB, 0, "s-1"}},
        VERDICT_EXACT,
        "ssm-session",
        "alice@corp"};

    (void)state;
    joined(&r, &v);
    assert_string_equal(v.principal, "alice@corp");
    assert_string_equal(v.ended_by, "bob");
    assert_int_equal(v.grade, VERDICT_EXACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_who_it_was),
        cmocka_unit_test(says_so_in_words),
        cmocka_unit_test(comes_back_from_json),
        cmocka_unit_test(tells_who_ended_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
