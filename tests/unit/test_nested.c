/* SPDX-License-Identifier: Apache-2.0 */
/* Recorders within sessions: what the writer believes of a terminal, and of ancestors. */
#include "tests/unit/writer_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "storage/wire/pass.h"

static int master(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);

    assert_true(fd >= 0);
    assert_int_equal(grantpt(fd), 0);
    assert_int_equal(unlockpt(fd), 0);
    return fd;
}

static int slave(int of)
{
    int fd = ioctl(of, TIOCGPTPEER, O_RDWR | O_NOCTTY);

    assert_true(fd >= 0);
    return fd;
}

static void pass(struct raw *r, uint8_t type, const void *body, size_t len, int fd)
{
    struct buf out;
    struct error err;

    buf_init(&out, FRAME_HEADER + 64);
    MUST(frame_put(&out, type, 0, body, len, &err));
    assert_int_equal(pass_send(r->fd, buf_data(&out), out.len, fd), (ssize_t)out.len);
    buf_clear(&out);
}

/* A session whose recorder has shown ${fd} as its own. */
static void begin(struct rig *g, struct raw *r, const char *title, uint8_t id[16], int fd)
{
    raw_open(r, g->sock);
    raw_begin(r, title, id);
    pass(r, FRAME_INNER, NULL, 0, fd);
    /* Answered, so that it was taken before. */
    raw_event(r, 'o', 1, 1, "begun");
    while (raw_next(r) != FRAME_ACK) {
        assert_int_not_equal(r->frame.type, FRAME_REFUSED);
    }
}

static const uint8_t version[4] = {0, 0, 0, WIRE_VERSION};

/* Whether somebody whose descriptor 0 is ${fd} is recorded, by whom. */
static bool ask(struct rig *g, int fd, uint8_t id[16])
{
    struct raw r;
    bool yes;

    raw_open(&r, g->sock);
    pass(&r, FRAME_NESTED, version, sizeof version, fd);
    assert_int_equal(raw_next(&r), FRAME_NESTING);
    yes = r.frame.len > 0;
    if (yes) {
        assert_true(r.frame.len > 16);
        memcpy(id, r.frame.body, 16);
    }
    raw_close(&r);
    return yes;
}

static void told(struct raw *r)
{
    while (raw_next(r) != FRAME_NESTED_IN) {
        assert_int_equal(r->frame.type, FRAME_ACK);
    }
    assert_int_equal(r->frame.len, 4);
    assert_int_equal(io_get_be32(r->frame.body), (uint32_t)getpid());
}

static void a_terminal_of_a_session_is_known(void **state)
{
    struct rig *g = *state;
    uint8_t a[16], b[16], id[16];
    struct raw one, two;
    int first = master(), second = master(), third = master();
    int s1 = slave(first), s2 = slave(second), s3 = slave(third);

    begin(g, &one, "one", a, first);
    begin(g, &two, "two", b, second);
    assert_true(ask(g, s1, id));
    assert_memory_equal(id, a, 16);
    told(&one);
    assert_true(ask(g, s2, id));
    assert_memory_equal(id, b, 16);
    told(&two);
    /* A terminal that no session has. */
    assert_false(ask(g, s3, id));
    /* Gone is gone: the number is free for others. */
    raw_close(&one);
    while (ask(g, s1, id)) {
    }
    raw_close(&two);
    for (int *p = (int[]){first, second, third, s1, s2, s3, -1}; *p >= 0; p++) {
        close(*p);
    }
}

/* What is passed instead of a session's own terminal. */
static void other_files_are_nobodys(void **state)
{
    struct rig *g = *state;
    int m = master(), s = slave(m), pipes[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int file = open(g->dir, O_RDONLY | O_CLOEXEC), path;
    char name[64];
    uint8_t a[16], id[16];
    struct raw one;

    assert_int_equal(pipe(pipes), 0);
    begin(g, &one, "one", a, m);
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", s);
    path = open(name, O_PATH | O_CLOEXEC);
    assert_true(null >= 0 && file >= 0 && path >= 0);
    assert_false(ask(g, null, id));
    assert_false(ask(g, file, id));
    assert_false(ask(g, pipes[0], id));
    assert_false(ask(g, one.fd, id));
    assert_false(ask(g, path, id)); /* a name of it, which anybody may have */
    assert_false(ask(g, m, id));    /* the other side of it */
    assert_true(ask(g, s, id));
    raw_close(&one);
    for (int *p = (int[]){m, s, null, file, path, pipes[0], pipes[1], -1}; *p >= 0; p++) {
        close(*p);
    }
}

/* A session's own is shown by its master, is one, and nobody else's. */
static void foreign_terminals_are_not_taken(void **state)
{
    struct rig *g = *state;
    int m = master(), s = slave(m), other = master(), o = slave(other);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    uint8_t a[16], b[16], id[16];
    struct raw one, two, three, four;

    assert_true(null >= 0);
    begin(g, &one, "one", a, m);
    begin(g, &two, "two", b, m); /* another's */
    assert_true(ask(g, s, id));
    assert_memory_equal(id, a, 16);
    begin(g, &three, "three", b, o); /* a slave, as an outer terminal is */
    begin(g, &four, "four", b, null);
    assert_false(ask(g, o, id));
    assert_false(ask(g, null, id));
    pass(&one, FRAME_INNER, NULL, 0, other); /* a second one */
    raw_event(&one, 'o', 2, 2, "more");
    while (raw_next(&one) != FRAME_ACK) {
    }
    assert_false(ask(g, o, id));
    raw_close(&one);
    raw_close(&two);
    raw_close(&three);
    raw_close(&four);
    for (int *p = (int[]){m, s, other, o, null, -1}; *p >= 0; p++) {
        close(*p);
    }
}

static void ancestors_count_without_a_terminal(void **state)
{
    struct rig *g = *state;
    uint8_t a[16], id[16];
    struct raw one;
    int status;
    pid_t child;

    assert_false(ask(g, -1, id));
    raw_open(&one, g->sock);
    raw_begin(&one, "one", a);
    assert_false(ask(g, -1, id)); /* its own recorder is no ancestor of itself */
    child = fork();
    if (child == 0) {
        _exit(ask(g, -1, id) && memcmp(id, a, 16) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    raw_send(&one, FRAME_BYE, 0, NULL, 0);
    while (raw_next(&one) != FRAME_GOODBYE) {
    }
    child = fork();
    if (child == 0) {
        _exit(ask(g, -1, id) ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    raw_close(&one);
}

static void rules_of_the_question(void **state)
{
    static const struct {
        const char *body;
        size_t len;
    } damaged[] = {{"", 0}, {"\0\0\0\0", 4}, {"\0\0\0\2", 4}, {"\0\0\0\1more", 8}};
    struct rig *g = *state;
    struct raw r;

    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        raw_open(&r, g->sock);
        raw_send(&r, FRAME_NESTED, 0, damaged[i].body, damaged[i].len);
        assert_int_equal(raw_next(&r), FRAME_REFUSED);
        raw_close(&r);
    }
    /* Once a connection; then it goes on with a session of its own. */
    raw_open(&r, g->sock);
    raw_send(&r, FRAME_NESTED, 0, version, sizeof version);
    assert_int_equal(raw_next(&r), FRAME_NESTING);
    raw_begin(&r, "own", NULL);
    raw_send(&r, FRAME_NESTED, 0, version, sizeof version);
    assert_int_equal(raw_next(&r), FRAME_REFUSED);
    raw_close(&r);
    raw_open(&r, g->sock);
    for (int i = 0; i < 1000; i++) {
        raw_send(&r, FRAME_NESTED, 0, version, sizeof version);
    }
    assert_int_equal(raw_next(&r), FRAME_NESTING);
    assert_int_equal(raw_next(&r), FRAME_REFUSED);
    assert_int_equal(raw_next(&r), -1);
    raw_close(&r);
    /* INNER without a terminal. */
    raw_open(&r, g->sock);
    raw_begin(&r, "none", NULL);
    raw_send(&r, FRAME_INNER, 0, NULL, 0);
    assert_int_equal(raw_next(&r), FRAME_REFUSED);
    raw_close(&r);
}

static int open_files(pid_t pid)
{
    char path[64];
    int n = 0;
    DIR *d;

    (void)snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    d = opendir(path);
    assert_non_null(d);
    while (readdir(d) != NULL) {
        n++;
    }
    closedir(d);
    return n;
}

/* Many descriptors at once, and with messages that take none: the writer keeps none of them. */
static void descriptors_are_not_kept(void **state)
{
    union {
        char bytes[CMSG_SPACE(64 * sizeof(int))];
        struct cmsghdr align;
    } c;
    uint8_t frame[FRAME_HEADER + 4] = {0, 0, 0, 4, FRAME_NESTED, 0, 0, 0, 0, 0, 0, WIRE_VERSION};
    struct iovec v = {.iov_base = frame, .iov_len = sizeof frame};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    struct rig *g = *state;
    int mine = master(), s = slave(mine), before, fds[64];
    uint8_t id[16];
    struct raw live, r;

    begin(g, &live, "live", id, mine);
    (void)ask(g, s, id);
    before = open_files(g->writer);
    for (size_t i = 0; i < 64; i++) {
        fds[i] = s;
    }
    memset(&c, 0, sizeof c);
    m.msg_control = c.bytes;
    m.msg_controllen = sizeof c.bytes;
    CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
    CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
    CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, sizeof fds);
    raw_open(&r, g->sock);
    assert_int_equal(sendmsg(r.fd, &m, MSG_NOSIGNAL), (ssize_t)sizeof frame);
    assert_int_equal(raw_next(&r), FRAME_NESTING);
    assert_true(r.frame.len > 0);
    raw_close(&r);
    for (int i = 0; i < 200; i++) {
        pass(&live, FRAME_PONG, NULL, 0, s);
    }
    raw_event(&live, 'o', 2, 2, "end");
    while (raw_next(&live) != FRAME_ACK) {
    }
    while (open_files(g->writer) > before) {
        (void)ask(g, s, id); /* it hangs up when it gets to it */
    }
    raw_close(&live);
    close(mine);
    close(s);
}

#define N_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        N_TEST(a_terminal_of_a_session_is_known),
        N_TEST(other_files_are_nobodys),
        N_TEST(foreign_terminals_are_not_taken),
        N_TEST(ancestors_count_without_a_terminal),
        N_TEST(rules_of_the_question),
        N_TEST(descriptors_are_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
