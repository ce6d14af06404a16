/* SPDX-License-Identifier: Apache-2.0 */
/* A writer in a process of its own, on sockets in a test's directory, and raw words to say to it.
 */
#ifndef TTYTRAIL_TESTS_UNIT_WRITER_RIG_H
#define TTYTRAIL_TESTS_UNIT_WRITER_RIG_H

#include "tests/unit/check.h"
#include "tests/unit/tempdir.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/db/reader.h"
#include "storage/seal/segment.h"
#include "storage/wire/client.h"
#include "storage/wire/control.h"
#include "storage/wire/frame.h"
#include "storage/writer/writer.h"

#define RIG_WAIT_MS 20000

struct rig {
    char dir[64], db[80], sock[80], control[80];
    int listen_fd, control_fd;
    pid_t writer;
};

static inline int rig_listen(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static inline int rig_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The writer's process: never returns. */
static inline void rig_serve(const struct rig *g, int private_fd)
{
    struct conf conf;
    struct writer_config c = {.db = g->db,
                              .listen_fd = private_fd >= 0 ? -1 : g->listen_fd,
                              .control_fd = private_fd >= 0 ? -1 : g->control_fd,
                              .private_fd = private_fd,
                              .signal_fd = private_fd >= 0 ? -1 : rig_signals(),
                              .conf = &conf};
    int rc;

    log_open("test", LOG_TO_NOBODY, LOG_LEVEL_ERROR);
    (void)signal(SIGPIPE, SIG_IGN);
    if (conf_init(&conf, NULL) != 0) {
        _exit(3);
    }
    conf.segment_kib = 1;
    rc = writer_run(&c, NULL);
    conf_clear(&conf);
    _exit(rc == 0 ? 0 : 1);
}

static inline void rig_start(struct rig *g)
{
    sigset_t set;

    /* Blocked from its first moment, so that a TERM never finds it unprepared. */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    g->writer = fork();
    assert_true(g->writer >= 0);
    if (g->writer == 0) {
        rig_serve(g, -1);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static inline void rig_stop(struct rig *g, int sig)
{
    int status = 0;

    if (g->writer > 0) {
        assert_int_equal(kill(g->writer, sig), 0);
        assert_int_equal(waitpid(g->writer, &status, 0), g->writer);
        assert_true(sig == SIGKILL || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
        g->writer = 0;
    }
}

static inline int rig_setup(void **state)
{
    struct rig *g = calloc(1, sizeof *g);

    if (g == NULL || tempdir_make(g->dir, sizeof g->dir) != 0) {
        return -1;
    }
    (void)snprintf(g->db, sizeof g->db, "%.63s/evidence.db", g->dir);
    (void)snprintf(g->sock, sizeof g->sock, "%.63s/w", g->dir);
    (void)snprintf(g->control, sizeof g->control, "%.63s/c", g->dir);
    g->listen_fd = rig_listen(g->sock);
    g->control_fd = rig_listen(g->control);
    rig_start(g);
    *state = g;
    return 0;
}

static inline int rig_teardown(void **state)
{
    struct rig *g = *state;
    int rc;

    rig_stop(g, SIGTERM);
    close(g->listen_fd);
    close(g->control_fd);
    rc = tempdir_drop(g->dir);
    free(g);
    return rc;
}

static inline int rig_connect(void *user, struct error *err)
{
    return client_connect_path(((struct rig *)user)->sock, err);
}

/* Asks the writer to seal everything; true when it says that it did. */
static inline void rig_seal(struct rig *g)
{
    struct control *c = NULL;
    struct error err;
    int64_t horizon = 0;

    MUST(control_open(&c, g->control, NULL, &err));
    MUST(control_seal_now(c, NULL, &horizon, &err));
    control_close(c);
}

/* The session's lines, all segments unpacked, appended to ${text}; the row in ${row}. */
static inline void rig_read(struct rig *g, const char *spec, struct session_row *row,
                            struct buf *text)
{
    struct reader *r = NULL;
    struct segment_row seg;
    struct buf bytes;
    struct error err;

    buf_init(&bytes, SEGMENT_MAX_BYTES);
    MUST(reader_open(&r, g->db, &err));
    MUST(reader_check(r, &err));
    MUST(reader_find(r, spec, row, &err));
    for (int64_t n = 0; n < row->segments; n++) {
        buf_reset(&bytes);
        assert_int_equal(reader_segment(r, row->row, n, &seg, &bytes, &err), 1);
        MUST(segment_unpack(buf_data(&bytes), bytes.len, SEGMENT_MAX_TEXT, text, &err));
    }
    reader_close(r);
    buf_clear(&bytes);
}

/* Waits until the session is in ${state} and sealed to the end; false after the deadline. */
static inline bool rig_wait(struct rig *g, const char *spec, enum session_state state)
{
    uint64_t end = clock_boot_us() + RIG_WAIT_MS * UINT64_C(1000);
    struct session_row row;
    bool found = false;

    session_row_init(&row);
    while (!found && clock_boot_us() < end) {
        struct reader *r = NULL;

        if (reader_open(&r, g->db, NULL) == 0) {
            found = reader_find(r, spec, &row, NULL) == 0 && row.state == state && row.final;
            reader_close(r);
        }
        (void)poll(NULL, 0, found ? 0 : 10);
    }
    session_row_clear(&row);
    return found;
}

/* ---- raw frames ---- */

struct raw {
    int fd;
    struct buf in;
    struct frame frame; /* the last one that came */
    size_t used;
};

static inline void raw_open(struct raw *r, const char *path)
{
    struct error err;

    memset(r, 0, sizeof *r);
    buf_init(&r->in, FRAME_HEADER + FRAME_MAX_BODY);
    MUST(r->fd = client_connect_path(path, &err));
}

static inline void raw_close(struct raw *r)
{
    close(r->fd);
    buf_clear(&r->in);
}

static inline void raw_send(struct raw *r, uint8_t type, char kind, const void *body, size_t len)
{
    struct buf out;
    struct error err;

    buf_init(&out, FRAME_HEADER + FRAME_MAX_BODY);
    MUST(frame_put(&out, type, kind, body, len, &err));
    /* The writer may have hung up already. */
    (void)!send(r->fd, buf_data(&out), out.len, MSG_NOSIGNAL);
    buf_clear(&out);
}

/* The next frame's type; -1 at the end of the connection. */
static inline int raw_next(struct raw *r)
{
    struct error err;

    buf_consume(&r->in, r->used);
    r->used = 0;
    while (frame_next(buf_data(&r->in), r->in.len, &r->frame, &r->used, &err) == 0) {
        struct pollfd p = {.fd = r->fd, .events = POLLIN};
        uint8_t chunk[4096];
        ssize_t n;

        if (poll(&p, 1, RIG_WAIT_MS) != 1) {
            fail_msg("the writer says nothing");
        }
        n = recv(r->fd, chunk, sizeof chunk, 0);
        if (n <= 0) {
            return -1;
        }
        MUST(buf_append(&r->in, chunk, (size_t)n, &err));
    }
    return r->frame.type;
}

/* Begins a session; its id in ${id} (NULL allowed). */
static inline void raw_begin(struct raw *r, const char *title, uint8_t id[16])
{
    struct buf body;
    struct error err;

    buf_init(&body, FRAME_MAX_BODY);
    MUST(buf_append(&body, "\0\0\0\1", 4, &err));
    MUST(facts_put_text(&body, "kind", "tty", &err));
    MUST(facts_put_text(&body, "title", title, &err));
    raw_send(r, FRAME_OPEN, 0, buf_data(&body), body.len);
    assert_int_equal(raw_next(r), FRAME_OPENED);
    if (id != NULL) {
        memcpy(id, r->frame.body, 16);
    }
    buf_clear(&body);
}

static inline void raw_event(struct raw *r, char kind, uint64_t seq, uint64_t t_us,
                             const char *text)
{
    uint8_t body[2000];
    size_t len = strlen(text);

    assert_true(len < sizeof body - 16);
    io_put_be64(body, seq);
    io_put_be64(body + 8, t_us);
    memcpy(body + 16, text, len);
    raw_send(r, FRAME_EVENT, kind, body, 16 + len);
}

#endif
