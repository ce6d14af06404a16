/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "storage/wire/policy_rules.h"

#define TOOL_US    INT64_C(10000000)
#define SHELLS_MAX 65536U
#define PREFIX_LEN (sizeof HOST_SHELL - 1)

const struct check host_checks[] = {
    {"rights", host_check_paths}, {"writer", host_check_writer},
    {"users", host_check_users},  {"sshd", host_check_sshd},
    {"pam", host_check_pam},      {"disk", host_check_disk},
    {"time", host_check_clock},   {NULL, NULL},
};

bool host_installed(void)
{
    gid_t group = 0;

    return policy_group_id(HOST_GROUP, &group);
}

/* As sd_booted(3) tells. */
const char *host_service(const char *systemd, const char *without)
{
    return access("/run/systemd/system", F_OK) == 0 ? systemd : without;
}

bool host_is_ours(const char *path)
{
    const char *base = strrchr(path, '/');

    return strncmp(base != NULL ? base + 1 : path, HOST_SHELL, PREFIX_LEN) == 0;
}

void host_real_shell(const char *ours, char *ret, size_t size)
{
    const char *base = strrchr(ours, '/');

    base = (base != NULL ? base + 1 : ours) + PREFIX_LEN;
    if (*base != '-') {
        ret[0] = '\0';
        return;
    }
    (void)snprintf(ret, size, "%s", base);
    for (char *p = ret; *p != '\0'; p++) {
        *p = *p == '-' ? '/' : *p;
    }
}

/* ---- shells(5) ---- */

/* ${want} with each line; the one it takes is copied to ${ret}. */
static bool shells_find(bool (*want)(const char *line, const void *user), const void *user,
                        char *ret, size_t size)
{
    struct buf b;
    bool found = false;
    char line[256];

    buf_init(&b, SHELLS_MAX);
    if (io_read_file(AT_FDCWD, HOST_SHELLS, SHELLS_MAX, &b, NULL) == 0) {
        const char *text = (const char *)buf_data(&b);

        for (size_t at = 0; at < b.len && !found;) {
            const char *end = memchr(text + at, '\n', b.len - at);
            size_t n = end != NULL ? (size_t)(end - text) - at : b.len - at;

            if (n < sizeof line && n > 0 && text[at] == '/') {
                memcpy(line, text + at, n);
                line[n] = '\0';
                found = want(line, user);
            }
            at += n + 1;
        }
    }
    buf_clear(&b);
    if (found && ret != NULL) {
        (void)snprintf(ret, size, "%s", line);
    }
    return found;
}

static bool same_line(const char *line, const void *user)
{
    return strcmp(line, user) == 0;
}

static bool our_line(const char *line, const void *user)
{
    (void)user;
    return host_is_ours(line);
}

bool host_shell_listed(const char *path)
{
    return shells_find(same_line, path, NULL, 0);
}

bool host_shell_any(char *ret, size_t size)
{
    return shells_find(our_line, NULL, ret, size);
}

/* ---- lists ---- */

void host_names_add(struct host_names *l, const char *name)
{
    size_t len = strlen(l->text);

    if (l->n < HOST_LIST && len + strlen(name) + 24 < sizeof l->text) {
        (void)snprintf(l->text + len, sizeof l->text - len, "%s%s", l->n > 0 ? ", " : "", name);
        l->n++;
    } else {
        l->n = l->n < HOST_LIST ? HOST_LIST + 1 : l->n + 1;
    }
}

const char *host_names_text(struct host_names *l)
{
    size_t len = strlen(l->text);

    if (l->n > HOST_LIST) {
        (void)snprintf(l->text + len, sizeof l->text - len, " and %d more", l->n - HOST_LIST);
    }
    return l->text;
}

/* ---- programs ---- */

static int tool_start(char *const argv[], int out, pid_t *ret, struct error *err)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    static char *env[] = {path, NULL};
    posix_spawn_file_actions_t files;
    int rc = posix_spawn_file_actions_init(&files);

    if (rc == 0) {
        (void)posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        (void)posix_spawn_file_actions_adddup2(&files, out, 1);
        (void)posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
        rc = posix_spawnp(ret, argv[0], &files, NULL, argv, env);
        (void)posix_spawn_file_actions_destroy(&files);
    }
    errno = rc;
    return rc == 0 ? 0 : err_sys(err, "run %s", argv[0]);
}

/* Until the end of its output, at most TOOL_US. */
static void tool_read(int fd, struct buf *ret)
{
    int64_t end = (int64_t)clock_boot_us() + TOOL_US;
    char piece[4096];

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = end - (int64_t)clock_boot_us();
        ssize_t n;

        if (left <= 0 || poll(&p, 1, (int)(left / 1000) + 1) == 0) {
            return;
        }
        n = read(fd, piece, sizeof piece);
        if (n == 0 || (n < 0 && errno != EINTR) ||
            (n > 0 && buf_append(ret, piece, (size_t)n, NULL) != 0)) {
            return;
        }
    }
}

int host_tool(char *const argv[], struct buf *ret, struct error *err)
{
    int ends[2], status = 0, rc;
    pid_t pid = 0;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return err_sys(err, "pipe");
    }
    rc = tool_start(argv, ends[1], &pid, err);
    close(ends[1]);
    if (rc == 0) {
        tool_read(ends[0], ret);
    }
    close(ends[0]);
    if (rc != 0) {
        return -1;
    }
    if (waitpid(pid, &status, WNOHANG) == 0) {
        struct pollfd none = {.fd = -1};

        /* Its output has ended: give it a moment to do so itself. */
        (void)poll(&none, 1, 100);
        if (waitpid(pid, &status, WNOHANG) == 0) {
            (void)kill(pid, SIGKILL);
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
            }
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
