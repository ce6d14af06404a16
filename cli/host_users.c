/* SPDX-License-Identifier: Apache-2.0 */
/* Who is recorded, by passwd(5), and whether PAM has the witness in its session stack. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/host.h"
#include "common/conf.h"
#include "common/io.h"

#define FIRST_USER 1000 /* login.defs(5), UID_MIN */
#define PAM_MAX    65536U
#define PAM_DEPTH  4

/* ---- users ---- */

struct users {
    struct host_names recorded, others, unlisted, no_shell;
};

static void one_user(struct users *u, const struct passwd *p)
{
    char real[256];

    if (!host_is_ours(p->pw_shell)) {
        if ((p->pw_uid == 0 || p->pw_uid >= FIRST_USER) && host_shell_listed(p->pw_shell)) {
            host_names_add(&u->others, p->pw_name);
        }
        return;
    }
    host_names_add(&u->recorded, p->pw_name);
    host_real_shell(p->pw_shell, real, sizeof real);
    if (access(p->pw_shell, X_OK) != 0 ||
        (real[0] != '\0' && (access(real, X_OK) != 0 || !host_shell_listed(real)))) {
        host_names_add(&u->no_shell, p->pw_name);
    } else if (!host_shell_listed(p->pw_shell)) {
        host_names_add(&u->unlisted, p->pw_name);
    }
}

/* The line of the example, first of all: "auth required pam_rootok.so". */
static bool chsh_is_roots(void)
{
    char line[128] = "", control[32], module[64];
    FILE *f = fopen("/etc/pam.d/chsh", "re");
    bool roots = false;

    while (f != NULL && !roots && fgets(line, sizeof line, f) != NULL) {
        roots = sscanf(line, " auth %31s %63s", control, module) == 2 &&
                (strcmp(control, "required") == 0 || strcmp(control, "requisite") == 0) &&
                strcmp(module, "pam_rootok.so") == 0;
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return roots;
}

void host_check_users(struct check_run *r)
{
    struct users u = {.recorded = {.n = 0}};
    struct passwd *p;

    if (!host_installed()) {
        return;
    }
    setpwent();
    while ((p = getpwent()) != NULL) {
        one_user(&u, p);
    }
    endpwent();
    if (u.recorded.n == 0) {
        check_say(r, CHECK_NOTE, NULL,
                  "nobody's shell is %s: after 'doctor --login-probe', 'chsh -s "
                  "/usr/bin/%s-bin-bash USER'",
                  HOST_SHELL, HOST_SHELL);
    } else {
        check_say(r, CHECK_OK, NULL, "recorded: %s", host_names_text(&u.recorded));
    }
    if (u.recorded.n > 0 && r->conf->break_glass[0] == '\0') {
        check_say(r, CHECK_NOTE, NULL,
                  "break_glass names no group: when there is no writer, only root gets in where "
                  "on_writer_loss = end");
    }
    if (u.recorded.n > 0 && access("/usr/bin/chsh", X_OK) == 0 && !chsh_is_roots()) {
        check_say(r, CHECK_NOTE, NULL,
                  "recorded users may leave by chsh(1), with their password: examples/pam/chsh "
                  "keeps it to root");
    }
    if (u.others.n > 0) {
        check_say(r, CHECK_NOTE, NULL, "with a shell of their own, not recorded: %s",
                  host_names_text(&u.others));
    }
    if (u.no_shell.n > 0) {
        check_say(
            r, CHECK_FINDING,
            "the name of the link says which shell: ttytrail-shell-bin-zsh is /bin/zsh, which "
            "must exist and stand in /etc/shells",
            "the recorder or the real shell is not there; another one is run, or none: %s",
            host_names_text(&u.no_shell));
    }
    if (u.unlisted.n > 0) {
        check_say(r, CHECK_FINDING, "'add-shell' with the path that stands in passwd",
                  "their shell is not in %s, so that su, chsh and others refuse it: %s",
                  HOST_SHELLS, host_names_text(&u.unlisted));
    }
}

/* ---- PAM ---- */

struct pam {
    bool witness, loginuid;
    int depth;
};

static void pam_file(struct pam *s, const char *name);

static void pam_line(struct pam *s, char *line)
{
    char type[64] = "", control[64] = "", module[128] = "";
    int at = 0;

    line[strcspn(line, "#")] = '\0';
    if (sscanf(line, " @include %127s", module) == 1) {
        pam_file(s, module);
        return;
    }
    if (sscanf(line, " %63s %n", type, &at) != 1 || at == 0) {
        return;
    }
    if (strcmp(type[0] == '-' ? type + 1 : type, "session") != 0) {
        return;
    }
    line += at;
    if (line[0] == '[') {
        char *end = strchr(line, ']');

        line = end != NULL ? end + 1 : line + strlen(line);
    } else if (sscanf(line, "%63s %n", control, &at) == 1) {
        line += at;
    }
    if (sscanf(line, " %127s", module) != 1) {
        return;
    }
    if (strcmp(control, "include") == 0 || strcmp(control, "substack") == 0) {
        pam_file(s, module);
        return;
    }
    s->witness |= strstr(module, "pam_exec.so") != NULL && strstr(line, "ttytrail-login") != NULL;
    s->loginuid |= strstr(module, "pam_loginuid.so") != NULL;
}

static void pam_file(struct pam *s, const char *name)
{
    char path[200], line[1024];
    struct buf b;

    if (strchr(name, '/') != NULL || s->depth >= PAM_DEPTH) {
        return;
    }
    (void)snprintf(path, sizeof path, "/etc/pam.d/%s", name);
    buf_init(&b, PAM_MAX);
    s->depth++;
    if (io_read_file(-1, path, PAM_MAX, &b, NULL) == 0) {
        const char *text = (const char *)buf_data(&b);

        for (size_t at = 0; at < b.len;) {
            const char *end = memchr(text + at, '\n', b.len - at);
            size_t n = end != NULL ? (size_t)(end - text) - at : b.len - at;

            (void)snprintf(line, sizeof line, "%.*s", (int)n, text + at);
            pam_line(s, line);
            at += n + 1;
        }
    }
    s->depth--;
    buf_clear(&b);
}

int host_pam_witness(const char *service, bool *ret_loginuid)
{
    struct pam s = {.witness = false};
    char path[64];

    (void)snprintf(path, sizeof path, "/etc/pam.d/%s", service);
    if (access(path, F_OK) != 0) {
        return -1;
    }
    pam_file(&s, service);
    *ret_loginuid = s.loginuid;
    return s.witness;
}

void host_check_pam(struct check_run *r)
{
    static const char *const services[] = {"sshd", "login"};
    int said = 0;

    for (size_t i = 0; host_installed() && i < sizeof services / sizeof services[0]; i++) {
        bool loginuid;
        int witness = host_pam_witness(services[i], &loginuid);
        char path[64];

        (void)snprintf(path, sizeof path, "/etc/pam.d/%s", services[i]);
        if (witness < 0) {
            continue;
        }
        said += !witness + !loginuid;
        if (!witness) {
            check_say(
                r, CHECK_FINDING,
                "'pam-auth-update --enable ttytrail', or the session line of "
                "ttytrail-login(8)",
                "%s: no witness (ttytrail-login): logins that are not recorded go unseen, and "
                "the key of a login is not known",
                path);
        }
        if (!loginuid) {
            check_say(r, CHECK_FINDING, "'session required pam_loginuid.so'",
                      "%s: without pam_loginuid a session cannot be told from its user's others",
                      path);
        }
    }
    if (host_installed() && said == 0) {
        check_say(r, CHECK_OK, NULL, "the witness stands in the session stack");
    }
}
