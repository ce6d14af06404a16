/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials over time, and in several threads: renewed ahead, renewed when refused, kept while
 * the source is ill; asked for once, whoever waits; what is bounded is bounded. */
#include "tests/unit/creds_data.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/creds.h"
#include "aws/creds_source.h"
#include "common/clock.h"

#define NOW     INT64_C(1795326000000000) /* 2026-11-22T05:40:00Z */
#define MINUTE  INT64_C(60000000)
#define THREADS 8

/* A container's endpoint: keys N expire at NOW + N hours; it can be told to wait, and to be ill. */
struct counted {
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool held;        /* asked, it waits until this is false ... */
    bool waits;       /* ... and says so here */
    atomic_int asked; /* how often */
    atomic_int ill, same;
};

static int answer(void *user, const struct http_request *req, struct http_response *ret,
                  struct error *err)
{
    struct counted *s = user;
    int n = atomic_fetch_add(&s->asked, 1) + 1;
    char doc[512];

    assert_string_equal(req->url, "http://169.254.170.2/keys");
    pthread_mutex_lock(&s->lock);
    while (s->held) {
        s->waits = true;
        pthread_cond_broadcast(&s->told);
        pthread_cond_wait(&s->told, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    http_head_reset(&ret->head);
    buf_reset(&ret->body);
    n = atomic_load(&s->same) != 0 ? 1 : n;
    (void)snprintf(doc, sizeof doc,
                   "{\"AccessKeyId\":\"ID%d\",\"SecretAccessKey\":\"SECRET%d\",\"Token\":\"T%d\","
                   "\"Expiration\":\"2026-11-22T%02d:40:00Z\"}",
                   n, n, n, 5 + n % 18);
    if (atomic_load(&s->ill) != 0) {
        return http_head_line(&ret->head, "HTTP/1.1 403 No", 15, err);
    }
    return http_head_line(&ret->head, "HTTP/1.1 200 OK", 15, err) != 0
               ? -1
               : buf_puts(req->sink, doc, err);
}

static void source_init(struct counted *s)
{
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->told, NULL);
    data_fresh();
    setenv("HOME", data_dir, 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/keys", 1);
}

static void source_hold(struct counted *s, bool held)
{
    pthread_mutex_lock(&s->lock);
    s->held = held;
    pthread_cond_broadcast(&s->told);
    pthread_mutex_unlock(&s->lock);
}

static void source_await(struct counted *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->waits) {
        pthread_cond_wait(&s->told, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

static void renewed_when_refused(void **state)
{
    struct counted s;
    struct creds *c, *other;
    struct creds_view v, w;
    struct error err;

    (void)state;
    source_init(&s);
    MUST(creds_open_over(&c, answer, &s, &err));
    MUST(creds_share(c, &other, &err));
    MUST(creds_get(c, NOW, &v, &err));
    MUST(creds_get(other, NOW, &w, &err));
    assert_string_equal(v.access_key, "ID1");
    assert_string_equal(w.access_key, "ID1");
    assert_int_equal(atomic_load(&s.asked), 1);
    /* Both are told by the server that these have expired: one asking is enough. */
    creds_refresh(c);
    MUST(creds_get(c, NOW, &v, &err));
    assert_string_equal(v.access_key, "ID2");
    assert_string_equal(w.access_key, "ID1"); /* what was lent stays as it was */
    creds_refresh(other);
    MUST(creds_get(other, NOW, &w, &err));
    assert_string_equal(w.access_key, "ID2");
    assert_int_equal(atomic_load(&s.asked), 2);
    /* One that was on its way for long tells of keys that are gone. */
    creds_refused(c, w.generation - 1);
    MUST(creds_get(c, NOW, &v, &err));
    assert_int_equal(atomic_load(&s.asked), 2);
    /* The source has no others: it is not asked for each request that is refused. */
    atomic_store(&s.same, 1);
    creds_refresh(c);
    MUST(creds_get(c, NOW, &v, &err));
    assert_int_equal(atomic_load(&s.asked), 3);
    creds_refresh(c);
    MUST(creds_get(c, NOW, &v, &err));
    for (int i = 0; i < 100; i++) {
        creds_refresh(c);
        MUST(creds_get(c, NOW, &v, &err));
    }
    assert_true(atomic_load(&s.asked) <= 20); /* it may be a slow machine: once every ten seconds */
    creds_close(c);
    MUST(creds_get(other, NOW, &w, &err)); /* in any order */
    creds_close(other);
}

static void short_ones_last_for_a_while(void **state)
{
    struct counted s;
    struct creds *c;
    struct creds_view v;
    struct error err;

    (void)state;
    source_init(&s);
    MUST(creds_open_over(&c, answer, &s, &err));
    MUST(creds_get(c, NOW + 50 * MINUTE, &v, &err)); /* ten minutes are left */
    MUST(creds_get(c, NOW + 56 * MINUTE, &v, &err));
    assert_int_equal(atomic_load(&s.asked), 1);
    MUST(creds_get(c, NOW + 57 * MINUTE, &v, &err));
    assert_int_equal(atomic_load(&s.asked), 2);
    creds_close(c);
}

static void an_error_tells_the_source(void **state)
{
    struct counted s;
    struct creds *c;
    struct creds_view v;
    struct error err;

    (void)state;
    source_init(&s);
    atomic_store(&s.ill, 1);
    MUST(creds_open_over(&c, answer, &s, &err));
    REFUSES(creds_get(c, NOW, &v, &err), ERR_DENIED);
    assert_string_equal(err.text, "AWS credentials of the container: 403");
    atomic_store(&s.ill, 0);
    MUST(creds_get(c, NOW, &v, &err));
    atomic_store(&s.ill, 1); /* refused, what holds is kept; and once a minute it is tried again */
    MUST(creds_get(c, v.expires_us - 5 * MINUTE, &v, &err));
    MUST(creds_get(c, v.expires_us - 5 * MINUTE + 1, &v, &err));
    assert_int_equal(atomic_load(&s.asked), 3);
    REFUSES(creds_get(c, v.expires_us, &v, &err), ERR_DENIED);
    creds_close(c);
}

static int never_answers(void *user, const struct http_request *req, struct http_response *ret,
                         struct error *err)
{
    unsigned *asked = user;

    (void)ret;
    ++*asked;
    assert_true(req->total_timeout_ms > 0 && req->total_timeout_ms <= 7001);
    return err_set(err, ERR_RETRY, "silence");
}

/* Whatever a request would like: there is one end for all of them. */
static void no_request_outlives_the_asking(void **state)
{
    unsigned asked = 0;
    struct creds_context x = {.send = never_answers, .user = &asked};
    struct http_request req = {.method = "GET", .url = "http://127.0.0.1/"};
    struct http_response r;
    struct error err;

    (void)state;
    http_response_init(&r);
    x.until_us = clock_boot_us() + 7000000;
    REFUSES(creds_wire_send(&x, true, &req, &r, &err), ERR_RETRY);
    assert_in_range(asked, 1, 3);
    asked = 0;
    req.total_timeout_ms = 60000;
    x.until_us = clock_boot_us() + 7000000;
    REFUSES(creds_wire_send(&x, true, &req, &r, &err), ERR_RETRY);
    assert_in_range(asked, 1, 3);
    asked = 0;
    x.until_us = clock_boot_us();
    REFUSES(creds_wire_send(&x, true, &req, &r, &err), ERR_RETRY);
    assert_int_equal(asked, 0);
    http_response_clear(&r);
}

struct worker {
    struct creds *creds;
    pthread_t thread;
    int64_t now_us;
    char id[32], secret[32];
    int rc;
};

static void *work(void *user)
{
    struct worker *w = user;
    struct creds_view v;

    w->rc = creds_get(w->creds, w->now_us, &v, NULL);
    if (w->rc == 0) {
        (void)snprintf(w->id, sizeof w->id, "%s", v.access_key);
        (void)snprintf(w->secret, sizeof w->secret, "%s", v.secret_key);
    }
    return NULL;
}

static void start(struct worker *w, struct creds *c, int64_t now_us)
{
    struct error err;

    memset(w, 0, sizeof *w);
    w->now_us = now_us;
    MUST(creds_share(c, &w->creds, &err));
    assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
}

static void finish(struct worker *w)
{
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    creds_close(w->creds);
}

static void all_threads_wait_for_one_asking(void **state)
{
    struct worker w[THREADS];
    struct counted s;
    struct creds *c;
    struct error err;

    (void)state;
    source_init(&s);
    MUST(creds_open_over(&c, answer, &s, &err));
    source_hold(&s, true);
    for (size_t i = 0; i < THREADS; i++) {
        start(&w[i], c, NOW);
    }
    source_await(&s);
    source_hold(&s, false);
    for (size_t i = 0; i < THREADS; i++) {
        finish(&w[i]);
        assert_int_equal(w[i].rc, 0);
        assert_string_equal(w[i].id, "ID1");
    }
    assert_int_equal(atomic_load(&s.asked), 1);
    creds_close(c);
}

static void what_holds_is_used_while_somebody_asks(void **state)
{
    struct worker asks, goes_on;
    struct counted s;
    struct creds *c;
    struct creds_view v;
    struct error err;

    (void)state;
    source_init(&s);
    MUST(creds_open_over(&c, answer, &s, &err));
    MUST(creds_get(c, NOW, &v, &err));
    source_hold(&s, true);
    start(&asks, c, NOW + 50 * MINUTE);
    source_await(&s);
    start(&goes_on, c, NOW + 50 * MINUTE); /* it ends although the other one cannot */
    finish(&goes_on);
    assert_string_equal(goes_on.id, "ID1");
    source_hold(&s, false);
    finish(&asks);
    assert_string_equal(asks.id, "ID2");
    creds_close(c);
}

static void *churn(void *user)
{
    struct worker *w = user;
    struct creds_view v;

    for (int i = 0; i < 200 && w->rc == 0; i++) {
        w->rc = creds_get(w->creds, NOW, &v, NULL);
        /* Never half of one and half of another. */
        if (w->rc == 0 && strcmp(v.access_key + 2, v.secret_key + 6) != 0) {
            w->rc = 2;
        }
        creds_refresh(w->creds);
    }
    return NULL;
}

static void threads_that_are_refused_all_the_time(void **state)
{
    struct worker w[THREADS];
    struct counted s;
    struct creds *c;
    struct error err;

    (void)state;
    source_init(&s);
    MUST(creds_open_over(&c, answer, &s, &err));
    for (size_t i = 0; i < THREADS; i++) {
        memset(&w[i], 0, sizeof w[i]);
        MUST(creds_share(c, &w[i].creds, &err));
        assert_int_equal(pthread_create(&w[i].thread, NULL, churn, &w[i]), 0);
    }
    creds_close(c); /* they have it still */
    for (size_t i = 0; i < THREADS; i++) {
        finish(&w[i]);
        assert_int_equal(w[i].rc, 0);
    }
}

/* A process that never ends, one that never stops talking, one whose child keeps the pipe. */
static void processes_are_bounded(void **state)
{
    static const struct {
        const char *command;
        unsigned patience_ms;
        enum err_kind kind; /* never RETRY: a ship would wait for it once for each try */
    } table[] = {
        {"/bin/sleep 1000", 50, ERR_DENIED},
        {"/bin/cat /dev/zero", 60000, ERR_LIMIT},
        {"/bin/sh -c \"sleep 1000 & sleep 1000\"", 50, ERR_DENIED},
        {"/bin/sh -c 'kill -9 $$'", 60000, ERR_DENIED},
        {"/bin/sh -c 'exec >&-; exec sleep 1000'", 500, ERR_DENIED},
    };
    struct creds_keys k;
    struct error err;

    (void)state;
    data_fresh();
    setenv("PATH", "/usr/bin:/bin", 1);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        print_message("%s\n", table[i].command);
        err_clear(&err);
        assert_int_equal(creds_process_find(table[i].command, table[i].patience_ms, &k, &err), -1);
        assert_int_equal(err.kind, table[i].kind);
    }
}

/* Killed while it is asked, we leave nothing behind that holds credentials. */
static void processes_end_with_us(void **state)
{
    struct creds_keys k;
    struct error err;
    char command[1200], path[300];
    int status = 0;
    long left = 0;
    pid_t we, it = 0;
    FILE *f;

    (void)state;
    data_fresh();
    setenv("PATH", "/usr/bin:/bin", 1);
    (void)snprintf(path, sizeof path, "%s/pid", data_dir);
    (void)snprintf(command, sizeof command,
                   "/bin/sh -c 'echo $$ >%s.new; mv %s.new %s; exec sleep 100'", path, path, path);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    we = fork();
    if (we == 0) {
        err_clear(&err);
        (void)creds_process_find(command, 100000, &k, &err);
        _exit(0);
    }
    for (int i = 0; i < 6000 && (f = fopen(path, "re")) == NULL; i++) {
        (void)poll(NULL, 0, 10);
    }
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld", &left), 1);
    (void)fclose(f);
    it = (pid_t)left;
    assert_int_equal(kill(we, SIGKILL), 0);
    assert_int_equal(waitpid(we, &status, 0), we);
    assert_int_equal(waitpid(it, &status, 0), it);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* It gets none of our descriptors but the three, and reads nothing of ours. */
static void processes_get_nothing_of_ours(void **state)
{
    static const char command[] =
        "/bin/sh -c 'test \"$(echo /proc/self/fd/*)\" = \"/proc/self/fd/0 /proc/self/fd/1 "
        "/proc/self/fd/2 /proc/self/fd/3\" || exit 7; read x && exit 8; echo SECRET >&2; echo "
        "{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"A\\\",\\\"SecretAccessKey\\\":\\\"s\\\"}'";
    struct creds_keys k = {.expires_us = 1};
    struct error err;
    int fd;

    (void)state;
    data_fresh();
    setenv("PATH", "/usr/bin:/bin", 1);
    fd = open("/dev/null", O_RDONLY); /* without close-on-exec */
    assert_true(fd >= 0);
    err_clear(&err);
    if (creds_process_find(command, 60000, &k, &err) != 1) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(k.access_key, "A");
    assert_string_equal(k.token, "");
    assert_int_equal(k.expires_us, 0);
    close(fd);
}

/* A service that takes connections and says nothing: as behind one hop too many. */
static void silence_is_asked_once(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), taken = 0;
    struct creds *c;
    struct creds_view v;
    struct error err = {0};
    char url[64], region[64];

    (void)state;
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    data_fresh();
    setenv("HOME", data_dir, 1);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url, 1);
    MUST(creds_open(&c, &err));
    creds_region(c, region, sizeof region);
    assert_string_equal(region, "");
    for (int i = 0; i < 3; i++) {
        REFUSES(creds_get(c, NOW, &v, &err), ERR_DENIED);
    }
    assert_non_null(strstr(err.text, "instance metadata"));
    creds_close(c);
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; taken++) {
        close(fd);
    }
    assert_in_range(taken, 1, 2); /* of four times; two on a machine that sleeps in between */
    close(listener);
}

/* Made at run time, so that the program's own text does not hold it. */
static char needle[17];

/* How often the heap holds it. */
static unsigned on_the_heap(void)
{
    static char window[1 << 20];
    char line[512];
    FILE *f = fopen("/proc/self/maps", "r");
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    unsigned found = 0;

    assert_non_null(f);
    assert_true(mem >= 0);
    while (fgets(line, sizeof line, f) != NULL) {
        char *dash;
        off_t at = (off_t)strtoull(line, &dash, 16), end = (off_t)strtoull(dash + 1, NULL, 16);

        for (ssize_t n; strstr(line, "[heap]") != NULL && at < end &&
                        (n = pread(mem, window, sizeof window, at)) > 16;
             at += n - 16) {
            for (char *p = window; (p = memmem(p, (size_t)(window + n - p), needle, 16)) != NULL;
                 p++) {
                found++;
            }
        }
    }
    explicit_bzero(window, sizeof window);
    (void)fclose(f);
    close(mem);
    return found;
}

static int answer_role(void *user, const struct http_request *req, struct http_response *ret,
                       struct error *err)
{
    static const char *const around[] = {
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ID</AccessKeyId>"
        "<SecretAccessKey>",
        "</SecretAccessKey><SessionToken>T</SessionToken><Expiration>2026-11-22T06:40:00Z"
        "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"};

    (void)user;
    http_head_reset(&ret->head);
    return http_head_line(&ret->head, "HTTP/1.1 200 OK", 15, err) != 0 ||
                   buf_puts(req->sink, around[0], err) != 0 ||
                   buf_puts(req->sink, needle, err) != 0 || buf_puts(req->sink, around[1], err) != 0
               ? -1
               : 0;
}

/* With a secret of the file, and with one of STS. */
static void nothing_is_left_on_the_heap(void **state)
{
    static const char *const files[] = {
        "[default]\naws_access_key_id = ID\naws_secret_access_key = ",
        "[default]\nregion = eu-west-1\nrole_arn = arn:aws:iam::000000000001:role/r\n"
        "source_profile = b\n[profile b]\naws_access_key_id = B\naws_secret_access_key = b\n"};
    static char text[512];

    (void)state;
    for (size_t i = 0; i < 16; i++) {
        needle[i] = (char)('A' + (i * 7 + 3) % 26);
    }
    for (size_t i = 0; i < 2; i++) {
        struct creds *c;
        struct creds_view v;
        struct error err;

        data_fresh();
        setenv("HOME", data_dir, 1);
        (void)snprintf(text, sizeof text, "%s%s\n", files[i], i == 0 ? needle : "");
        data_write(".aws/config", text);
        assert_int_equal(on_the_heap(), 0);
        MUST(creds_open_over(&c, answer_role, NULL, &err));
        MUST(creds_get(c, NOW, &v, &err));
        assert_string_equal(v.secret_key, needle);
        assert_true(on_the_heap() <= 2); /* the shared one and the thread's */
        creds_close(c);
        assert_int_equal(on_the_heap(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renewed_when_refused),
        cmocka_unit_test(short_ones_last_for_a_while),
        cmocka_unit_test(an_error_tells_the_source),
        cmocka_unit_test(no_request_outlives_the_asking),
        cmocka_unit_test(all_threads_wait_for_one_asking),
        cmocka_unit_test(what_holds_is_used_while_somebody_asks),
        cmocka_unit_test(threads_that_are_refused_all_the_time),
        cmocka_unit_test(processes_are_bounded),
        cmocka_unit_test(processes_end_with_us),
        cmocka_unit_test(processes_get_nothing_of_ours),
        cmocka_unit_test(silence_is_asked_once),
        cmocka_unit_test(nothing_is_left_on_the_heap),
    };
    int rc;

    if (data_start() != 0) {
        return 1;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    data_end();
    return rc;
}
