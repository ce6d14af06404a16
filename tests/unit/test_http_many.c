/* SPDX-License-Identifier: Apache-2.0 */
/* Many requests at once against a server that answers none before all have come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/http.h"
#include "common/clock.h"

#define MANY 12
#define BODY 300000 /* more than any buffer in between holds at once */

struct seen {
    unsigned connections, requests, wrong_bodies;
};

struct peer {
    int fd;
    char head[4096];
    size_t head_len, want, got;
    bool ready, bad;
};

static uint8_t byte_at(size_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8));
}

static void take(struct peer *p, const char *bytes, size_t n)
{
    while (n > 0 && p->want == 0) {
        if (p->head_len + 1 >= sizeof p->head) {
            _exit(3);
        }
        p->head[p->head_len++] = *bytes++;
        n--;
        p->head[p->head_len] = '\0';
        if (strstr(p->head, "\r\n\r\n") != NULL) {
            const char *length = strstr(p->head, "Content-Length: ");

            p->want = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
            p->ready = p->want == 0;
        }
    }
    for (; n > 0; n--) {
        p->bad |= (uint8_t)*bytes++ != byte_at(p->got++);
    }
    p->ready |= p->want > 0 && p->got == p->want;
}

/* Answers when ${together} requests are whole; a "GET /drop" is hung up on. */
static void serve(int listener, unsigned together, struct seen *seen)
{
    static struct peer peers[64];
    static char chunk[65536];
    unsigned n = 0, ready = 0;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        struct pollfd p[65] = {{.fd = listener, .events = POLLIN}};

        for (unsigned i = 0; i < n; i++) {
            p[i + 1] = (struct pollfd){.fd = peers[i].fd, .events = POLLIN};
        }
        (void)poll(p, n + 1, -1);
        for (unsigned i = 0; i < n; i++) {
            ssize_t got = p[i + 1].revents == 0 ? 0 : recv(peers[i].fd, chunk, sizeof chunk, 0);

            if (p[i + 1].revents != 0 && got <= 0) {
                close(peers[i].fd);
                peers[i] = (struct peer){.fd = -1};
                continue;
            }
            if (got > 0) {
                take(&peers[i], chunk, (size_t)got);
                ready += peers[i].ready;
            }
        }
        if ((p[0].revents & POLLIN) != 0 && n < 64) {
            peers[n++] = (struct peer){.fd = accept(listener, NULL, NULL)};
            seen->connections++;
        }
        if (ready < together) {
            continue;
        }
        for (unsigned i = 0; i < n; i++) {
            static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

            if (peers[i].ready) {
                int fd = peers[i].fd;

                seen->requests++;
                seen->wrong_bodies += peers[i].bad;
                if (strncmp(peers[i].head, "GET /drop", 9) == 0) {
                    close(fd);
                    fd = -1;
                } else {
                    (void)!write(fd, ok, sizeof ok - 1);
                }
                peers[i] = (struct peer){.fd = fd};
            }
        }
        ready = 0;
    }
}

struct fixture {
    pid_t pid;
    struct seen *seen;
    char url[64];
    struct http *http;
};

static void start(struct fixture *f, unsigned together)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct http_config config = {.no_proxy = true};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct error err;

    f->seen =
        mmap(NULL, sizeof *f->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(listener >= 0 && f->seen != MAP_FAILED);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 64), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    f->pid = fork();
    if (f->pid == 0) {
        serve(listener, together, f->seen);
    }
    close(listener);
    assert_int_equal(http_open(&f->http, &config, &err), 0);
}

static void stop(struct fixture *f)
{
    http_close(f->http);
    kill(f->pid, SIGKILL);
    waitpid(f->pid, NULL, 0);
    munmap(f->seen, sizeof *f->seen);
}

static ssize_t pattern(void *user, size_t offset, void *to, size_t max, struct error *err)
{
    size_t n = max < 7000 ? max : 7000;

    (void)err;
    n = offset + n > BODY ? BODY - offset : n;
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)to)[i] = byte_at(offset + i);
    }
    ++*(unsigned *)user;
    return (ssize_t)n;
}

static ssize_t broken(void *user, size_t offset, void *to, size_t max, struct error *err)
{
    (void)user;
    (void)offset;
    (void)to;
    (void)max;
    return err_set(err, ERR_CORRUPT, "the evidence is gone");
}

struct one {
    struct http_response response;
    struct error err;
    int rc, done;
};

static void ended(void *user, int rc, const struct error *err)
{
    struct one *o = user;

    o->done++;
    o->rc = rc;
    o->err = *err;
}

static void begin(struct fixture *f, struct one *o, const struct source *body, const char *url)
{
    struct http_request req = {.method = body == NULL ? "GET" : "PUT", .url = url, .stream = body};
    struct error err;

    http_response_init(&o->response);
    assert_int_equal(http_start(f->http, &req, &o->response, ended, o, &err), 0);
}

static void until_done(struct fixture *f, struct one *o, unsigned n)
{
    struct error err;

    for (unsigned i = 0; i < n; i++) {
        while (o[i].done == 0) {
            assert_int_equal(http_wait(f->http, -1, 1000, &err), 0);
        }
        assert_int_equal(o[i].done, 1);
    }
}

static void many_are_under_way_at_once(void **state)
{
    struct fixture f;
    struct one one[MANY];
    unsigned reads = 0;
    struct source body = {.len = BODY, .read = pattern, .user = &reads};
    uint64_t began = clock_boot_us();

    (void)state;
    start(&f, MANY);
    for (int round = 1; round <= 2; round++) {
        memset(one, 0, sizeof one);
        for (int i = 0; i < MANY; i++) {
            begin(&f, &one[i], &body, f.url);
        }
        until_done(&f, one, MANY);
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(one[i].rc, 0);
            assert_int_equal(one[i].response.head.status, 200);
            http_response_clear(&one[i].response);
        }
        assert_int_equal(f.seen->requests, (unsigned)(MANY * round));
    }
    assert_int_equal(f.seen->wrong_bodies, 0);
    /* The second round goes over the first one's connections, if none was idle for long. */
    if (clock_boot_us() - began < 2000000) {
        assert_int_equal(f.seen->connections, MANY);
    }
    assert_true(reads >= MANY * 2 * (BODY / 7000));
    stop(&f);
}

static void one_that_fails_fails_alone(void **state)
{
    struct fixture f;
    struct one one[3] = {{.done = 0}};
    unsigned reads = 0;
    struct source good = {.len = BODY, .read = pattern, .user = &reads};
    struct source bad = {.len = BODY, .read = broken};
    char drop[96];

    (void)state;
    start(&f, 1);
    (void)snprintf(drop, sizeof drop, "%s/drop", f.url);
    begin(&f, &one[0], &good, f.url);
    begin(&f, &one[1], &bad, f.url);
    begin(&f, &one[2], NULL, drop);
    until_done(&f, one, 3);
    assert_int_equal(one[0].rc, 0);
    assert_int_equal(one[1].rc, -1);
    assert_int_equal(one[1].err.kind, ERR_CORRUPT);
    assert_string_equal(one[1].err.text, "the evidence is gone");
    assert_int_equal(one[2].rc, -1);
    assert_int_equal(one[2].err.kind, ERR_RETRY);
    for (int i = 0; i < 3; i++) {
        http_response_clear(&one[i].response);
    }
    stop(&f);
}

static void a_fresh_one_has_a_connection_of_its_own(void **state)
{
    struct fixture f;
    struct one one[2] = {{.done = 0}};
    struct error err;

    (void)state;
    start(&f, 1);
    for (int i = 0; i < 2; i++) {
        struct http_request req = {.method = "GET", .url = f.url, .fresh = i > 0};

        http_response_init(&one[i].response);
        assert_int_equal(http_start(f.http, &req, &one[i].response, ended, &one[i], &err), 0);
        until_done(&f, &one[i], 1);
        assert_int_equal(one[i].rc, 0);
        http_response_clear(&one[i].response);
    }
    assert_int_equal(f.seen->connections, 2);
    stop(&f);
}

static void what_is_cancelled_is_told(void **state)
{
    struct fixture f;
    struct one one[2] = {{.done = 0}};
    struct error err;

    (void)state;
    start(&f, 1000);
    begin(&f, &one[0], NULL, f.url);
    begin(&f, &one[1], NULL, f.url);
    assert_int_equal(http_wait(f.http, -1, 1, &err), 0);
    http_cancel(f.http);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(one[i].done, 1);
        assert_int_equal(one[i].rc, -1);
        assert_int_equal(one[i].err.kind, ERR_RETRY);
        http_response_clear(&one[i].response);
    }
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_under_way_at_once),
        cmocka_unit_test(one_that_fails_fails_alone),
        cmocka_unit_test(a_fresh_one_has_a_connection_of_its_own),
        cmocka_unit_test(what_is_cancelled_is_told),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
