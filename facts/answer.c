/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/answer.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "facts/instance.h"
#include "facts/tty.h"
#include "storage/wire/facts.h"

/* The start is read before and after: what lies between is of the same process. */
static int exe(const struct frame *f, struct buf *facts, struct error *err)
{
    char path[64], target[PATH_MAX];
    struct stat st;
    uint64_t start, wanted;
    pid_t pid;
    ssize_t n;

    if (f->len != 12) {
        return err_set(err, ERR_CORRUPT, "a pid and a start are wanted");
    }
    pid = (pid_t)io_get_be32(f->body);
    wanted = io_get_be64(f->body + 4);
    start = pid > 0 ? clock_process_start(pid) : 0;
    if (start == 0 || (wanted != 0 && wanted != start)) {
        return err_set(err, ERR_USAGE, "no such process");
    }
    (void)snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
    n = readlink(path, target, sizeof target);
    if (n < 0) {
        return err_sys(err, "read %s", path);
    }
    (void)snprintf(path, sizeof path, "/proc/%ld", (long)pid);
    if (stat(path, &st) != 0 || clock_process_start(pid) != start) {
        return err_set(err, ERR_USAGE, "no such process any more");
    }
    if (facts_put(facts, "exe", target, (size_t)n, err) != 0 ||
        facts_put_int(facts, "start", (int64_t)start, err) != 0) {
        return -1;
    }
    return facts_put_int(facts, "uid", (int64_t)st.st_uid, err);
}

static int holders(int fd, struct buf *facts, struct error *err)
{
    struct buf text;
    int rc;

    buf_init(&text, 16384);
    rc = tty_holders(fd, &text, err);
    if (rc == 0) {
        rc = facts_put(facts, "holders", buf_data(&text), text.len, err);
    }
    buf_clear(&text);
    return rc;
}

static int respond(const struct frame *f, int fd, struct buf *facts, int *ret_fd, struct error *err)
{
    switch (f->type) {
    case FRAME_FACTS_EXE:
        return exe(f, facts, err);
    case FRAME_FACTS_HOLDERS:
        return holders(fd, facts, err);
    case FRAME_FACTS_HANGUP:
        if (f->len != 4) {
            return err_set(err, ERR_CORRUPT, "the owner is wanted");
        }
        *ret_fd = tty_hang_up(fd, (uid_t)io_get_be32(f->body), err);
        return *ret_fd < 0 ? -1 : 0;
    case FRAME_FACTS_INSTANCE:
        return instance_facts(facts, err);
    default:
        return err_set(err, ERR_CORRUPT, "no such question");
    }
}

void answer(const struct frame *f, int fd, struct buf *out, int *ret_fd)
{
    struct error err = {.kind = ERR_NONE};
    struct buf facts;

    *ret_fd = -1;
    buf_init(&facts, FACTS_MAX);
    if (respond(f, fd, &facts, ret_fd, &err) == 0) {
        (void)frame_put(out, FRAME_DONE, 0, buf_data(&facts), facts.len, NULL);
    } else {
        uint8_t body[4 + sizeof err.text];
        size_t len = strlen(err.text);

        io_put_be32(body, (uint32_t)err.kind);
        memcpy(body + 4, err.text, len);
        (void)frame_put(out, FRAME_REFUSED, 0, body, 4 + len, NULL);
    }
    buf_clear(&facts);
}
