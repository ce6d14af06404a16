/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/stream.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"

#define READ_MAX 65536U

static const char *name(const struct stream *s)
{
    return s->kind == 'i' ? "stdin" : s->kind == 'o' ? "stdout" : "stderr";
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* ---- what is kept ---- */

static void on_keep(void *user, uint64_t t_us, const uint8_t *bytes, size_t len)
{
    struct stream *s = user;

    (void)tokens_put(&s->tokens, t_us, bytes, len);
}

static void on_elided(void *user, uint64_t t_us, uint64_t bytes, uint64_t kept,
                      const uint8_t hash[BURST_HASH])
{
    struct stream *s = user;
    char hex[2 * BURST_HASH + 1];

    tokens_flush(&s->tokens);
    link_text(s->link, 'm', t_us, "burst %s bytes=%llu kept=%llu sha256=%s", name(s),
              (unsigned long long)bytes, (unsigned long long)kept, io_hex(hash, BURST_HASH, hex));
}

int stream_open(struct stream *s, char kind, int from, int to, struct link *link, struct error *err)
{
    const struct policy *policy = &link->policy;
    struct burst_sink sink = {s, on_keep, on_elided};
    struct stat st;

    memset(s, 0, sizeof *s);
    s->link = link;
    s->from = from;
    s->to = to;
    s->kind = kind;
    s->stored = kind != 'i' || policy->stream_input;
    s->to_socket = fstat(to, &st) == 0 && S_ISSOCK(st.st_mode);
    tokens_open(&s->tokens, link, kind, policy->tokens && policy->redact != POLICY_REDACT_OFF);
    if (gate_init(&s->gate, err) != 0) {
        return -1;
    }
    return burst_new(&s->burst, s->stored ? policy->stream_kib * 1024U : 0, &sink, err);
}

void stream_close(struct stream *s)
{
    close_fd(&s->from);
    close_fd(&s->to);
    gate_clear(&s->gate);
    burst_free(s->burst);
    s->burst = NULL;
    tokens_close(&s->tokens);
}

/* ---- bytes ---- */

static void take(struct stream *s)
{
    uint8_t *to;
    size_t room = gate_space(&s->gate, &to), kept;
    ssize_t n = read(s->from, to, room < READ_MAX ? room : READ_MAX);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        close_fd(&s->from);
        return;
    }
    kept = burst_add(s->burst, link_now(s->link), to, (size_t)n);
    /* Only bytes that were sent to the writer wait for it. */
    gate_filled(&s->gate, (size_t)n,
                kept > 0 && s->kind != 'i' && s->link->policy.commit_first && !s->link->away
                    ? client_last_seq(s->link->client)
                    : 0);
    link_send(s->link);
}

static void give(struct stream *s)
{
    const uint8_t *p;
    size_t len = gate_next(&s->gate, &p);
    ssize_t n;

    if (len == 0) {
        return;
    }
    /* A pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting (pipe(7)). */
    n = s->to_socket ? send(s->to, p, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                     : write(s->to, p, len < PIPE_BUF ? len : PIPE_BUF);
    if (n > 0) {
        gate_shown(&s->gate, (size_t)n);
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        /* Nobody reads any more: let the other side feel it, as it would without us. */
        close_fd(&s->to);
        close_fd(&s->from);
    }
}

/* ---- the poll loop's questions ---- */

void stream_prepare(struct stream *s, struct pollfd *fds)
{
    const uint8_t *p;

    fds[STREAM_POLL_FROM] = (struct pollfd){.fd = -1};
    fds[STREAM_POLL_TO] = (struct pollfd){.fd = s->to};
    gate_ack(&s->gate, link_acked(s->link));
    /* The child's stdin ends when ours has ended and everything was handed on. */
    if (s->from < 0 && gate_waiting(&s->gate) == 0) {
        close_fd(&s->to);
        fds[STREAM_POLL_TO].fd = -1;
    }
    if (s->from >= 0 && !gate_full(&s->gate) && !link_congested(s->link) &&
        !(s->kind == 'i' && link_blocks(s->link))) {
        fds[STREAM_POLL_FROM] = (struct pollfd){.fd = s->from, .events = POLLIN};
    }
    if (gate_next(&s->gate, &p) > 0) {
        fds[STREAM_POLL_TO].events = POLLOUT;
    }
}

void stream_handle(struct stream *s, const struct pollfd *fds)
{
    short to = fds[STREAM_POLL_TO].revents;

    if (fds[STREAM_POLL_FROM].revents != 0) {
        take(s);
    }
    if ((to & POLLOUT) != 0) {
        give(s);
    } else if ((to & (POLLERR | POLLNVAL)) != 0) {
        /* The reader has gone: the writer is to learn it now, not with its next byte. */
        close_fd(&s->to);
        close_fd(&s->from);
    }
}

bool stream_done(const struct stream *s)
{
    return s->from < 0 && (s->to < 0 || gate_waiting(&s->gate) == 0);
}

uint64_t stream_deadline(const struct stream *s)
{
    uint64_t due = s->ended ? UINT64_MAX : burst_deadline(s->burst);
    uint64_t tokens = s->ended ? UINT64_MAX : tokens_deadline(&s->tokens);

    due = tokens < due ? tokens : due;
    return due == UINT64_MAX ? due : due + s->link->zero_us;
}

void stream_tick(struct stream *s)
{
    if (!s->ended && stream_deadline(s) <= clock_boot_us()) {
        burst_tick(s->burst, link_now(s->link));
        tokens_tick(&s->tokens, link_now(s->link));
        link_send(s->link);
    }
}

void stream_end(struct stream *s)
{
    uint8_t hash[BURST_HASH];
    char hex[2 * BURST_HASH + 1];
    uint64_t bytes;

    if (s->ended) {
        return;
    }
    s->ended = true;
    close_fd(&s->from);
    burst_end(s->burst, &bytes, hash);
    tokens_flush(&s->tokens);
    if (bytes == 0) {
        return;
    }
    if (s->kind == 'i' && bytes < BURST_INPUT_MINIMUM) {
        link_text(s->link, 'm', link_now(s->link), "stream %s bytes=%llu", name(s),
                  (unsigned long long)bytes);
    } else {
        link_text(s->link, 'm', link_now(s->link), "stream %s bytes=%llu sha256=%s", name(s),
                  (unsigned long long)bytes, io_hex(hash, BURST_HASH, hex));
    }
}

void stream_write_rest(struct stream *s, int patience_ms)
{
    uint64_t end = clock_boot_us() + (uint64_t)patience_ms * 1000U;
    const uint8_t *p;

    gate_ack(&s->gate, link_acked(s->link));
    while (s->to >= 0 && gate_next(&s->gate, &p) > 0 && clock_boot_us() < end) {
        struct pollfd fd = {.fd = s->to, .events = POLLOUT};

        if (poll(&fd, 1, 100) > 0) {
            if ((fd.revents & POLLOUT) == 0) {
                return;
            }
            give(s);
        }
    }
}
