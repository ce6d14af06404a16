/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail-login: the witness.  pam_exec runs it as root when a PAM session opens and closes; it
 * tells the writer what sshd knows, or the system log, and never holds a login up. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "facts/standing.h"
#include "storage/wire/facts.h"
#include "storage/wire/frame.h"

#define WRITER_SOCKET "/run/ttytrail/writer.sock"
#define PATIENCE_MS   50
#define TEXT_MAX      1024U
#define AUTH_MAX      8192U

static const char help[] =
    "Usage: ttytrail-login [--socket PATH]\n\n"
    "Run by pam_exec(8) when a session opens and closes: tells ttytraild who logs in, from where\n"
    "and with which key.  It takes 50 ms at most and exits 0 always.\n\n"
    "Example, in /etc/pam.d/sshd:\n"
    "  session optional pam_exec.so quiet /usr/libexec/ttytrail/ttytrail-login\n";

static const struct {
    const char *variable, *key;
    size_t max;
} environment[] = {
    {"PAM_TYPE", "pam_type", TEXT_MAX},
    {"PAM_SERVICE", "pam_service", TEXT_MAX},
    {"PAM_USER", "pam_user", TEXT_MAX},
    {"PAM_RHOST", "pam_rhost", TEXT_MAX},
    {"PAM_TTY", "pam_tty", TEXT_MAX},
    {"SSH_CONNECTION", "ssh_connection", TEXT_MAX},
    {"SSH_AUTH_INFO_0", "ssh_auth_info", AUTH_MAX},
};

/* A number that the kernel keeps of this process; 4294967295 is its word for none. */
static int put_number(struct buf *out, const char *key, const char *path, struct error *err)
{
    char text[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0) {
        return 0;
    }
    text[n] = '\0';
    return facts_put_int(out, key, strtoll(text, NULL, 10), err);
}

/* Before the user's first instruction, while nobody can have changed it since sshd looked. */
static int put_standing(struct buf *out, struct error *err)
{
    const char *type = getenv("PAM_TYPE"), *user = getenv("PAM_USER");
    const char *info = getenv("SSH_AUTH_INFO_0");

    return type == NULL || strcmp(type, "open_session") != 0 || user == NULL || info == NULL ||
                   strnlen(info, AUTH_MAX) == AUTH_MAX
               ? 0
               : facts_put_text(out, "key_standing", standing_word(user, info, getppid()), err);
}

static int put_all(struct buf *out, struct error *err)
{
    char boot[33];
    pid_t monitor = getppid();

    clock_boot_id(boot);
    for (size_t i = 0; i < sizeof environment / sizeof environment[0]; i++) {
        const char *value = getenv(environment[i].variable);
        size_t len = value == NULL ? 0 : strnlen(value, environment[i].max);

        if (len > 0 && facts_put(out, environment[i].key, value, len, err) != 0) {
            return -1;
        }
    }
    if (facts_put_text(out, "boot", boot, err) != 0 ||
        facts_put_int(out, "monitor", monitor, err) != 0 ||
        facts_put_int(out, "monitor_began", (int64_t)clock_process_start(monitor), err) != 0 ||
        facts_put_int(out, "time_us", clock_unix_us(), err) != 0 ||
        put_number(out, "loginuid", "/proc/self/loginuid", err) != 0) {
        return -1;
    }
    return put_number(out, "audit_session", "/proc/self/sessionid", err) != 0
               ? -1
               : put_standing(out, err);
}

static int connect_to(const char *path, struct error *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd;

    if (len >= sizeof a.sun_path) {
        return err_set(err, ERR_USAGE, "the socket's path is too long");
    }
    memcpy(a.sun_path, path, len + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        err_sys(err, "connect to %s", path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static int await(int fd, struct error *err)
{
    uint64_t end = clock_boot_us() + PATIENCE_MS * 1000;
    uint8_t bytes[FRAME_HEADER + 512];
    size_t have = 0, used = 0;
    struct frame f;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        uint64_t now = clock_boot_us();
        int ready = now < end ? poll(&p, 1, (int)((end - now + 999) / 1000)) : 0;
        ssize_t n;
        int rc;

        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return err_set(err, ERR_RETRY, "no answer within %d ms", PATIENCE_MS);
        }
        n = recv(fd, bytes + have, sizeof bytes - have, MSG_DONTWAIT);
        if (n <= 0) {
            return err_set(err, ERR_RETRY, "the writer hung up");
        }
        have += (size_t)n;
        rc = frame_next(bytes, have, &f, &used, err);
        if (rc != 0 || have == sizeof bytes) {
            return rc == 1 && f.type == FRAME_WITNESSED ? 0 : err_set(err, ERR_DENIED, "refused");
        }
    }
}

static int tell(const char *path, const struct buf *facts, struct error *err)
{
    struct buf body, out;
    uint8_t version[4];
    int rc = -1, fd = -1;

    io_put_be32(version, WIRE_VERSION);
    buf_init(&body, FRAME_MAX_BODY);
    buf_init(&out, FRAME_HEADER + FRAME_MAX_BODY);
    if (buf_append(&body, version, sizeof version, err) == 0 &&
        buf_append(&body, buf_data(facts), facts->len, err) == 0 &&
        frame_put(&out, FRAME_WITNESS, 0, buf_data(&body), body.len, err) == 0 &&
        (fd = connect_to(path, err)) >= 0) {
        ssize_t n = send(fd, buf_data(&out), out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        rc = n == (ssize_t)out.len ? await(fd, err)
                                   : err_set(err, ERR_RETRY, "the writer does not read");
    }
    if (fd >= 0) {
        close(fd);
    }
    buf_clear(&body);
    buf_clear(&out);
    return rc;
}

/* The connection in the system log, since the writer did not hear of it. */
static void log_instead(const struct buf *facts, const char *why)
{
    static char line[24576], value[4 * AUTH_MAX + 1];
    struct facts f = {.bytes = buf_data(facts), .len = facts->len};
    const uint8_t *bytes;
    char key[65];
    size_t at = 0, len, n = 0;

    while (facts_next(&f, &at, key, &bytes, &len)) {
        int more;

        (void)log_escape((const char *)bytes, len, value, sizeof value);
        for (char *p = value; *p != '\0'; p++) {
            *p = *p == '"' ? '\'' : *p;
        }
        more = snprintf(line + n, sizeof line - n, " %s=\"%s\"", key, value);
        n = more > 0 && (size_t)more < sizeof line - n ? n + (size_t)more : n;
        line[n] = '\0';
    }
    openlog("ttytrail-login", LOG_PID, LOG_AUTHPRIV);
    syslog(LOG_AUTHPRIV | LOG_WARNING, "unwitnessed why=\"%s\"%s", why, line);
}

static bool has_type(void)
{
    const char *type = getenv("PAM_TYPE");

    return type != NULL &&
           (strcmp(type, "open_session") == 0 || strcmp(type, "close_session") == 0);
}

int main(int argc, char **argv)
{
    const char *path = WRITER_SOCKET;
    struct error err = {.kind = ERR_NONE};
    struct buf facts;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return fputs(help, stdout) < 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return printf("ttytrail-login %s\n", TTYTRAIL_VERSION) < 0;
    }
    if (argc == 3 && strcmp(argv[1], "--socket") == 0) {
        path = argv[2];
    }
    if (!has_type()) {
        return 0;
    }
    buf_init(&facts, FACTS_MAX);
    if (put_all(&facts, &err) != 0 || tell(path, &facts, &err) != 0) {
        log_instead(&facts, err.text);
    }
    buf_clear(&facts);
    return 0;
}
