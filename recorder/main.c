/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail-shell: the login shell that records the real one.  Takes nothing from its user but -c,
 * -l and -i: the real shell comes from the name it was installed under and must stand in
 * /etc/shells. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/io.h"
#include "common/log.h"
#include "recorder/recorder.h"
#include "recorder/session.h"
#include "recorder/way.h"
#include "storage/wire/policy_rules.h"
#include "storage/wire/ring.h"

#define WRITER_SOCKET  "/run/ttytrail/writer.sock"
#define WRITER_GROUP   "ttytrail"
#define SHELL_PREFIX   "ttytrail-shell-"
#define SHELLS_FILE    "/etc/shells"
#define SHELLS_MAX     65536U
#define FALLBACK_SHELL "/bin/bash"
#define LAST_SHELL     "/bin/sh"

struct shell_options {
    bool login, interactive;
    char *command; /* of -c; NULL for none */
    char **rest;   /* what followed it: $0, $1, ... */
    int n_rest;
    char shell[256]; /* the real one's path */
    char name[258];  /* its argv[0] */
    bool named;      /* by the link; else the policy may say another */
};

static int refuse(const char *why)
{
    char line[600];

    log_escape(why, strlen(why), line, sizeof line);
    (void)fprintf(stderr,
                  "ttytrail-shell: no recording, no session: %s\n"
                  "Sessions on this host are recorded, and this one cannot be: tell its "
                  "administrator.\n",
                  line);
    openlog("ttytrail-shell", LOG_PID, LOG_AUTHPRIV);
    syslog(LOG_ALERT, "session of uid %ld refused: %s", (long)getuid(), line);
    return 125;
}

/* ---- which shell ---- */

static bool line_is(const char *text, size_t len, const char *line)
{
    size_t n = strlen(line);

    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t span = end != NULL ? (size_t)(end - text) - at : len - at;

        if (span == n && memcmp(text + at, line, n) == 0) {
            return true;
        }
        at += span + 1;
    }
    return false;
}

static bool allowed(const struct buf *shells, const char *path)
{
    const char *base = strrchr(path, '/');

    /* A recorder started by a recorder would never end. */
    return path[0] == '/' && strncmp(base + 1, "ttytrail-shell", 14) != 0 &&
           line_is((const char *)buf_data(shells), shells->len, path) && access(path, X_OK) == 0;
}

static void read_shells(struct buf *ret)
{
    struct error err;

    buf_init(ret, SHELLS_MAX);
    (void)io_read_file(AT_FDCWD, SHELLS_FILE, SHELLS_MAX, ret, &err);
}

/* The policy's shell is as little believed as the link's name. */
static bool may_run(const char *path)
{
    struct buf shells;
    bool may;

    read_shells(&shells);
    may = shells.len > 0 && allowed(&shells, path);
    buf_clear(&shells);
    return may;
}

/* "ttytrail-shell-bin-zsh" is /bin/zsh. */
static void choose_shell(struct shell_options *o, const char *argv0)
{
    const char *base = strrchr(argv0, '/');
    struct buf shells;

    base = base != NULL ? base + 1 : argv0;
    base += *base == '-';
    read_shells(&shells);
    if (strncmp(base, SHELL_PREFIX, strlen(SHELL_PREFIX)) == 0) {
        (void)snprintf(o->shell, sizeof o->shell, "/%s", base + strlen(SHELL_PREFIX));
        for (char *p = o->shell; *p != '\0'; p++) {
            *p = *p == '-' ? '/' : *p;
        }
    }
    o->named = shells.len > 0 && allowed(&shells, o->shell);
    if (!o->named) {
        (void)snprintf(o->shell, sizeof o->shell, "%s",
                       shells.len > 0 && allowed(&shells, FALLBACK_SHELL) ? FALLBACK_SHELL
                                                                          : LAST_SHELL);
    }
    buf_clear(&shells);
    (void)snprintf(o->name, sizeof o->name, "%s%s", o->login ? "-" : "",
                   strrchr(o->shell, '/') + 1);
}

/* ---- arguments ---- */

static int parse(struct shell_options *o, int argc, char **argv)
{
    int at = 1;
    bool command = false;

    o->login = argc > 0 && argv[0][0] == '-';
    for (; at < argc && !command && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        const char *letters = argv[at] + 1;

        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (strcmp(argv[at], "--login") == 0) {
            letters = "l";
        }
        for (; *letters != '\0'; letters++) {
            if (*letters == 'c') {
                command = true;
            } else if (*letters == 'l') {
                o->login = true;
            } else if (*letters == 'i') {
                o->interactive = true;
            } else {
                return refuse("only -c COMMAND, -l and -i are understood");
            }
        }
    }
    if ((command && at >= argc) || (!command && at < argc)) {
        return refuse("only -c COMMAND, -l and -i are understood");
    }
    if (command) {
        o->command = argv[at];
        o->rest = argv + at + 1;
        o->n_rest = argc - at - 1;
    }
    return 0;
}

/* ---- the writer ---- */

/* Setgid is silently lost under no_new_privs, on nosuid mounts and in user namespaces (PITFALLS 6).
 */
static int check_group(struct error *err)
{
    gid_t group = 0;

    if (!policy_group_id(WRITER_GROUP, &group)) {
        return err_set(err, ERR_DENIED, "there is no group %s", WRITER_GROUP);
    }
    if (getegid() != group) {
        return err_set(err, ERR_DENIED,
                       "not running with group %s (mode 2755 missing, no_new_privs, a nosuid "
                       "mount or a user namespace)",
                       WRITER_GROUP);
    }
    return 0;
}

/* Without the group there is no writer for us, whatever runs: the policy for that decides. */
static int connect_writer(void *user, struct error *err)
{
    (void)user;
    return check_group(err) != 0 ? -1 : client_connect_path(WRITER_SOCKET, err);
}

/* ---- running ---- */

static int build_argv(const struct shell_options *o, char ***ret, struct buf *json,
                      struct error *err)
{
    size_t n = 0;
    char **argv = calloc((size_t)o->n_rest + 5, sizeof *argv);

    if (argv == NULL) {
        return err_sys(err, "allocate");
    }
    argv[n++] = (char *)(uintptr_t)o->name;
    if (o->interactive) {
        argv[n++] = (char *)(uintptr_t) "-i";
    }
    if (o->command != NULL) {
        argv[n++] = (char *)(uintptr_t) "-c";
        argv[n++] = o->command;
        for (int i = 0; i < o->n_rest; i++) {
            argv[n++] = o->rest[i];
        }
    }
    *ret = argv;
    return session_command(json, argv, err);
}

/* The user's word decides what runs, as without us; it never decides whether that is recorded. */
static void take_forced(struct shell_options *o)
{
    const char *instead;

    if (o->command != NULL && o->n_rest == 0 &&
        way_forced(o->command, getenv("SSH_ORIGINAL_COMMAND"), &instead)) {
        o->login = o->login || instead[0] == '\0';
        o->command = instead[0] != '\0' ? (char *)(uintptr_t)instead : NULL;
    }
}

static void look_at_way(struct way *way, const struct shell_options *o)
{
    int tty = -1;

    for (int i = 2; i >= 0; i--) {
        tty = isatty(i) == 1 ? i : tty;
    }
    way_find(way, o->command, tty);
}

static int run(const struct shell_options *o, struct recorder_result *result, struct error *err)
{
    struct recorder_config config = {
        .connect = connect_writer,
        .path = o->shell,
        .child_shell = o->shell,
        .may_run = o->named ? NULL : may_run,
        .ring_dir = RING_DIR,
        .input = -1,
        .login = true,
        .drop_group = true,
    };
    struct buf json;
    struct way way;
    char **argv = NULL;
    int rc = -1;

    buf_init(&json, 32768);
    look_at_way(&way, o);
    if (build_argv(o, &argv, &json, err) == 0) {
        config.way_in = way.name;
        config.depth = way.depth;
        config.entered = way.entered;
        config.argv = argv;
        config.command_json = o->command != NULL ? buf_text(&json, err) : NULL;
        rc = recorder_run(&config, result, err);
    }
    free(argv);
    buf_clear(&json);
    return rc;
}

int main(int argc, char **argv)
{
    struct shell_options options = {.login = false};
    struct recorder_result result = {.wait_status = 0};
    struct error err = {.kind = ERR_NONE};
    int status = parse(&options, argc, argv);

    if (status != 0) {
        return status;
    }
    take_forced(&options);
    choose_shell(&options, argc > 0 ? argv[0] : "");
    if (run(&options, &result, &err) != 0) {
        status = recorder_refusal(&err);
        if (status == 125) {
            return refuse(err.text);
        }
        (void)fprintf(stderr, "ttytrail-shell: %s\n", err.text);
        return status;
    }
    recorder_exit(result.wait_status);
}
