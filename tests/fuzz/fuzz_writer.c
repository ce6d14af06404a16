/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole writer, as installed, and what a connection may say to it: frames of every type (WITNESS,
 * NESTED, INNER, OPEN, control requests ...), bodies as they come, terminals and other descriptors
 * passed along, raw bytes in between.  The writer answers or hangs up, and goes on: its database is
 * checked, and it is begun anew, every WRITER_LIFE inputs.
 *
 * Input: one byte, 1 for the control socket; then for each message a byte of what goes along (enum
 * along), a frame's type and kind, u16 length (big-endian) and its body.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/log.h"
#include "storage/db/reader.h"
#include "storage/wire/facts.h"
#include "storage/wire/frame.h"
#include "storage/wire/pass.h"
#include "storage/writer/writer.h"
#include "tests/unit/tempdir.h"

#define WRITER_LIFE 400
#define ANSWER_MS   60000
#define MESSAGES    32

enum along {
    ALONG_VERSION = 1, /* the protocol's version stands before the body */
    ALONG_HERE = 2,    /* facts of a monitor of this boot stand behind it */
    ALONG_SLAVE = 4,
    ALONG_MASTER = 8,
    ALONG_PIPE = 16,
    ALONG_RAW = 32 /* the body alone, without a frame around it */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    char dir[64], db[80], sock[80], control[80];
    struct conf conf;
    struct writer_config config;
    int stop[2], master, slave, pipe[2];
    pthread_t thread;
    unsigned inputs;
    bool up;
} rig;

static void must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

static int socket_at(const char *path, bool serve)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (serve ? SOCK_NONBLOCK : 0), 0);

    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    must(fd >= 0, "socket");
    if (serve) {
        must(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 64) == 0, "listen");
    } else {
        must(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
    }
    return fd;
}

static void *serve(void *arg)
{
    struct error err = {.kind = ERR_NONE};

    (void)arg;
    if (writer_run(&rig.config, &err) != 0) {
        (void)fprintf(stderr, "writer: %s\n", err.text);
        abort();
    }
    return NULL;
}

static void begin(void)
{
    must(tempdir_make(rig.dir, sizeof rig.dir) == 0, "directory");
    (void)snprintf(rig.db, sizeof rig.db, "%.63s/db", rig.dir);
    (void)snprintf(rig.sock, sizeof rig.sock, "%.63s/w", rig.dir);
    (void)snprintf(rig.control, sizeof rig.control, "%.63s/c", rig.dir);
    must(pipe2(rig.stop, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(rig.pipe, O_CLOEXEC) == 0, "pipe");
    must(openpty(&rig.master, &rig.slave, NULL, NULL, NULL) == 0, "pty");
    must(conf_init(&rig.conf, NULL) == 0, "settings");
    rig.conf.segment_kib = 1;
    rig.config = (struct writer_config){.db = rig.db,
                                        .listen_fd = socket_at(rig.sock, true),
                                        .control_fd = socket_at(rig.control, true),
                                        .private_fd = -1,
                                        .signal_fd = rig.stop[0],
                                        .conf = &rig.conf};
    must(pthread_create(&rig.thread, NULL, serve, NULL) == 0, "thread");
    rig.up = true;
}

static void end(void)
{
    struct signalfd_siginfo si = {.ssi_signo = SIGTERM};
    struct reader *r = NULL;
    struct error err = {.kind = ERR_NONE};

    if (!rig.up) {
        return;
    }
    rig.up = false;
    must(write(rig.stop[1], &si, sizeof si) == (ssize_t)sizeof si, "stop");
    must(pthread_join(rig.thread, NULL) == 0, "join");
    if (reader_open(&r, rig.db, &err) != 0 || reader_check(r, &err) != 0) {
        (void)fprintf(stderr, "database: %s\n", err.text);
        abort();
    }
    reader_close(r);
    close(rig.config.listen_fd);
    close(rig.config.control_fd);
    for (int i = 0; i < 2; i++) {
        close(rig.stop[i]);
        close(rig.pipe[i]);
    }
    close(rig.master);
    close(rig.slave);
    conf_clear(&rig.conf);
    must(tempdir_drop(rig.dir) == 0, "remove");
}

static void here(struct buf *body)
{
    char boot[33];

    clock_boot_id(boot);
    (void)facts_put_text(body, "boot", boot, NULL);
    (void)facts_put_int(body, "monitor", getpid(), NULL);
    (void)facts_put_int(body, "monitor_began", (int64_t)clock_process_start(getpid()), NULL);
}

/* One message; how much of the input it was, 0 at its end. */
static size_t say(int fd, const uint8_t *data, size_t size)
{
    struct buf body, out;
    size_t len = size < 5 ? 0 : (size_t)data[3] << 8 | data[4];
    int passed;

    if (size < 5) {
        return 0;
    }
    len = len < size - 5 ? len : size - 5;
    buf_init(&body, FRAME_MAX_BODY);
    buf_init(&out, FRAME_MAX_BODY + FRAME_HEADER);
    if ((data[0] & ALONG_VERSION) != 0) {
        (void)buf_append(&body, "\0\0\0\1", 4, NULL);
    }
    (void)buf_append(&body, data + 5, len, NULL);
    if ((data[0] & ALONG_HERE) != 0) {
        here(&body);
    }
    if ((data[0] & ALONG_RAW) != 0) {
        (void)buf_append(&out, buf_data(&body), body.len, NULL);
    } else {
        (void)frame_put(&out, data[1], (char)data[2], buf_data(&body), body.len, NULL);
    }
    passed = (data[0] & ALONG_SLAVE) != 0    ? rig.slave
             : (data[0] & ALONG_MASTER) != 0 ? rig.master
             : (data[0] & ALONG_PIPE) != 0   ? rig.pipe[0]
                                             : -1;
    if (out.len > 0) {
        (void)pass_send(fd, buf_data(&out), out.len, passed);
    }
    buf_clear(&body);
    buf_clear(&out);
    return 5 + len;
}

/* Until the writer hangs up: it does, having read all there is to read. */
static void hear_out(int fd)
{
    uint64_t until = clock_boot_us() + ANSWER_MS * UINT64_C(1000);
    uint8_t bytes[4096];
    int got = -1;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n;

        int ready = poll(&p, 1, ANSWER_MS);

        must((ready == 1 || (ready < 0 && errno == EINTR)) && clock_boot_us() < until,
             "the writer is silent");
        n = ready < 1 ? 1 : pass_receive(fd, bytes, sizeof bytes, 0, &got);
        if (got >= 0) {
            close(got);
            got = -1;
        }
        if (n == 0 || (n < 0 && errno == ECONNRESET)) {
            return;
        }
        must(n > 0, "receive");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t used;
    int fd;

    if (size < 6) {
        return 0;
    }
    if (rig.inputs == 0) {
        log_open("fuzz", LOG_TO_NOBODY, LOG_LEVEL_ERROR);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)atexit(end);
    }
    if (rig.inputs++ % WRITER_LIFE == 0) {
        end();
        begin();
    }
    fd = socket_at(data[0] == 1 ? rig.control : rig.sock, false);
    data++;
    size--;
    for (int i = 0; i < MESSAGES && (used = say(fd, data, size)) > 0; i++) {
        data += used;
        size -= used;
    }
    (void)shutdown(fd, SHUT_WR);
    hear_out(fd);
    close(fd);
    return 0;
}
