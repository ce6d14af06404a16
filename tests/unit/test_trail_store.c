/* SPDX-License-Identifier: Apache-2.0 */
/* trail.db: copies of events, files' states, addenda, cursors, one process at a time. */
#include "tests/unit/check.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tempdir.h"
#include "trail/record.h"
#include "trail/store.h"

struct rig {
    char dir[256], path[300];
    struct trail_store *t;
    struct json *json;
};

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    struct error err;

    *state = r;
    if (r == NULL || tempdir_make(r->dir, sizeof r->dir) != 0) {
        return -1;
    }
    (void)snprintf(r->path, sizeof r->path, "%s/trail.db", r->dir);
    return json_open(&r->json, &err) != 0 || trail_store_open(&r->t, r->path, &err) != 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;

    trail_store_close(r->t);
    json_close(r->json);
    (void)tempdir_drop(r->dir);
    free(r);
    return 0;
}

/* A start by ${who}; ${more}: further members. */
static int put(struct rig *r, const char *object, const char *id, const char *who, int second,
               const char *more)
{
    static struct trail_event e;
    struct error err;
    char text[1024];
    int rc;

    (void)snprintf(text, sizeof text,
                   "{\"eventID\":\"%s\",\"eventSource\":\"ssm.amazonaws.com\",\"eventName\":"
                   "\"StartSession\",\"eventTime\":\"2026-01-01T00:00:%02dZ\",\"userIdentity\":{"
                   "\"type\":\"IAMUser\",\"userName\":\"%s\",\"accessKeyId\":\"AKIA%s\"},"
                   "\"requestParameters\":{\"target\":\"i-1\"},\"responseElements\":{\"sessionId\":"
                   "\"s-%s\"}%s}",
                   id, second, who, who, id, more);
    MUST(record_read(r->json, text, strlen(text), &e, &err));
    MUST(rc = trail_store_event(r->t, &e, object, text, strlen(text), &err));
    return rc;
}

struct seen {
    char text[512];
    enum verdict_digest digest;
    int stop_after;
};

static int see(void *user, const struct trail_stored *e)
{
    struct seen *s = user;
    size_t n = strlen(s->text);

    (void)snprintf(s->text + n, sizeof s->text - n, "%s=%s@%s ", e->event.id,
                   e->event.who.user_name, e->object);
    s->digest = e->digest;
    return s->stop_after != 0 && --s->stop_after == 0 ? 7 : 0;
}

static const char *ask(struct rig *r, const struct trail_query *q, struct seen *s)
{
    struct error err;

    memset(s, 0, sizeof *s);
    MUST(trail_store_events(r->t, q, see, s, &err));
    return s->text;
}

static void files_are_read_once(void **state)
{
    struct rig *r = *state;
    uint8_t sha[32] = {9}, got[32];
    struct error err;

    assert_int_equal(trail_store_has_file(r->t, "a", &err), 0);
    assert_int_equal(put(r, "a", "e1", "alice", 1, ""), 1);
    assert_int_equal(trail_store_has_file(r->t, "a", &err), 0); /* not whole */
    assert_int_equal(trail_store_file_sha256(r->t, "a", got, &err), 0);
    MUST(trail_store_file(r->t, "a", sha, &err));
    assert_int_equal(trail_store_has_file(r->t, "a", &err), 1);
    assert_int_equal(trail_store_file_sha256(r->t, "a", got, &err), 1);
    assert_memory_equal(got, sha, 32);
}

static void events_come_in_order_of_time(void **state)
{
    struct rig *r = *state;
    struct error err;
    struct seen s;

    put(r, "a", "e2", "bob", 20, "");
    put(r, "a", "e1", "alice", 10, "");
    put(r, "b", "e3", "carol", 30, "");
    assert_string_equal(ask(r, &(struct trail_query){0}, &s), "e1=alice@a e2=bob@a e3=carol@b ");
    assert_string_equal(ask(r, &(struct trail_query){.kinds = 1U << TRAIL_PUSH}, &s), "");
    assert_string_equal(ask(r,
                            &(struct trail_query){.kinds = 1U << TRAIL_START | 1U << TRAIL_PUSH,
                                                  .from_us = INT64_C(1767225615000000),
                                                  .instance = "i-1"},
                            &s),
                        "e2=bob@a e3=carol@b ");
    assert_string_equal(ask(r, &(struct trail_query){.to_us = INT64_C(1767225615000000)}, &s),
                        "e1=alice@a ");
    assert_string_equal(ask(r, &(struct trail_query){.session = "s-e2"}, &s), "e2=bob@a ");
    assert_string_equal(ask(r, &(struct trail_query){.access_key = "AKIAcarol"}, &s),
                        "e3=carol@b ");
    assert_string_equal(ask(r, &(struct trail_query){.event = "e3"}, &s), "e3=carol@b ");
    assert_string_equal(ask(r, &(struct trail_query){.issued_key = "none"}, &s), "");
    memset(&s, 0, sizeof s);
    s.stop_after = 2;
    assert_int_equal(trail_store_events(r->t, &(struct trail_query){0}, see, &s, &err), 7);
    assert_string_equal(s.text, "e1=alice@a e2=bob@a ");
}

static void the_copy_in_the_better_file_counts(void **state)
{
    static const struct trail_query all = {0};
    struct rig *r = *state;
    struct error err;
    struct seen s;

    assert_int_equal(put(r, "forged", "e1", "mallory", 1, ""), 1);
    assert_int_equal(put(r, "true", "e1", "alice", 1, ""), 0);
    assert_int_equal(put(r, "true", "e1", "alice", 1, ""), 0);
    assert_string_equal(ask(r, &all, &s), "e1=mallory@forged ");
    assert_int_equal(s.digest, DIGEST_NONE);
    MUST(trail_store_file_state(r->t, "true", DIGEST_VERIFIED, &err));
    assert_string_equal(ask(r, &all, &s), "e1=alice@true ");
    assert_int_equal(s.digest, DIGEST_VERIFIED);
    MUST(trail_store_file_state(r->t, "forged", DIGEST_PENDING, &err));
    assert_string_equal(ask(r, &all, &s), "e1=alice@true ");
    MUST(trail_store_file_state(r->t, "true", DIGEST_FAILED, &err));
    MUST(trail_store_file_state(r->t, "true", DIGEST_VERIFIED, &err)); /* failed stays failed */
    assert_string_equal(ask(r, &all, &s), "e1=mallory@forged ");
    MUST(trail_store_file_state(r->t, "forged", DIGEST_FAILED, &err));
    (void)ask(r, &all, &s);
    assert_int_equal(s.digest, DIGEST_FAILED);
}

#define ADDENDUM(of) ",\"addendum\":{\"reason\":\"UPDATED_DATA\",\"originalEventID\":\"" of "\"}"

static void addenda_amend_what_is_not_better(void **state)
{
    static const struct trail_query all = {0};
    struct rig *r = *state;
    struct error err;
    struct seen s;

    put(r, "a", "e1", "alice", 1, "");
    assert_int_equal(put(r, "b", "e9", "alicia", 1, ADDENDUM("e1")), 1);
    assert_string_equal(ask(r, &all, &s), "e9=alicia@b ");
    assert_string_equal(ask(r, &(struct trail_query){.event = "e1"}, &s), "e9=alicia@b ");
    MUST(trail_store_file_state(r->t, "a", DIGEST_VERIFIED, &err)); /* so it is a forged one */
    assert_string_equal(ask(r, &(struct trail_query){.event = "e1"}, &s),
                        "e1=alice@a e9=alicia@b ");
    MUST(trail_store_file_state(r->t, "b", DIGEST_VERIFIED, &err));
    assert_string_equal(ask(r, &all, &s), "e9=alicia@b ");
    /* Of the same id. */
    put(r, "c", "e5", "bob", 5, "");
    assert_int_equal(put(r, "d", "e5", "bobby", 5, ADDENDUM("e5")), 1);
    assert_string_equal(ask(r, &(struct trail_query){.event = "e5"}, &s), "e5=bobby@d ");
}

static void cursors_stay(void **state)
{
    struct rig *r = *state;
    struct error err;
    char key[64];
    uint8_t sha[32] = {1};

    MUST(trail_store_cursor(r->t, "1/eu", key, sizeof key, &err));
    assert_string_equal(key, "");
    MUST(trail_store_set_cursor(r->t, "1/eu", "k1", &err));
    MUST(trail_store_set_cursor(r->t, "1/eu", "k2", &err));
    MUST(trail_store_begin(r->t, &err));
    MUST(trail_store_file(r->t, "lost", sha, &err));
    trail_store_rollback(r->t);
    trail_store_close(r->t);
    r->t = NULL;
    MUST(trail_store_open(&r->t, r->path, &err));
    MUST(trail_store_cursor(r->t, "1/eu", key, sizeof key, &err));
    assert_string_equal(key, "k2");
    assert_int_equal(trail_store_has_file(r->t, "lost", &err), 0);
}

static void the_newest_verdict_counts(void **state)
{
    static struct verdict v, got;
    struct rig *r = *state;
    struct error err;

    memset(v.subject, 7, sizeof v.subject);
    assert_int_equal(trail_store_verdict(r->t, v.subject, &got, &err), 0);
    for (v.revision = 1; v.revision <= 2; v.revision++) {
        v.grade = v.revision == 1 ? VERDICT_STRONG : VERDICT_EXACT;
        (void)snprintf(v.rule, sizeof v.rule, "key");
        (void)snprintf(v.principal, sizeof v.principal, "alice@corp");
        MUST(trail_store_put_verdict(r->t, &v, &err));
    }
    assert_int_equal(trail_store_verdict(r->t, v.subject, &got, &err), 1);
    assert_int_equal(got.revision, 2);
    assert_int_equal(got.grade, VERDICT_EXACT);
    assert_string_equal(got.principal, "alice@corp");
}

static void another_process_waits(void **state)
{
    struct rig *r = *state;
    struct trail_store *other = NULL;
    struct error err;
    struct stat st;
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(trail_store_open(&other, r->path, &err) == -1 && err.kind == ERR_RETRY ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(stat(r->path, &st), 0);
    assert_int_equal(st.st_mode & 0777U, 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_read_once, setup, teardown),
        cmocka_unit_test_setup_teardown(events_come_in_order_of_time, setup, teardown),
        cmocka_unit_test_setup_teardown(the_copy_in_the_better_file_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(addenda_amend_what_is_not_better, setup, teardown),
        cmocka_unit_test_setup_teardown(cursors_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_verdict_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(another_process_waits, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
