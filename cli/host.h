/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host itself has to do with recording: rights of paths, sockets, who is recorded, the
 * wiring of sshd and PAM, disk and clock, and a login tried out.  These are doctor's checks for the
 * installed system (docs/DESIGN.md section 11); they know nothing of stores.  They read other
 * programs' settings and change nothing, the probe apart, which records a session.
 */
#ifndef TTYTRAIL_CLI_HOST_H
#define TTYTRAIL_CLI_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/check.h"
#include "common/err.h"
#include "common/status.h"

#define HOST_GROUP   "ttytrail"
#define HOST_SHELL   "ttytrail-shell" /* and names that begin so: links that name the real shell */
#define HOST_CONTROL "/run/ttytrail/control.sock"
#define HOST_SHELLS  "/etc/shells"
#define HOST_LIST    16 /* names in one line, at most */

/* Ends with a name of NULL. */
extern const struct check host_checks[];
extern const struct status_row host_status[];

/** host_installed(): Whether the installed system is here: its group is. */
bool host_installed(void);
/** host_is_ours(path): Whether a passwd shell or a command's first word is the recorder. */
bool host_is_ours(const char *path);
/** host_real_shell(ours, ret, size): The shell that the name of a link stands for; "" for none. */
void host_real_shell(const char *ours, char *ret, size_t size);
/** host_shell_listed(path): Whether shells(5) has it. */
bool host_shell_listed(const char *path);
/** host_shell_any(ret, size): A recorder of shells(5); false when there is none. */
bool host_shell_any(char *ret, size_t size);

/* A list of names for a line of text: "a, b, c and 4 more". */
struct host_names {
    char text[600];
    int n;
};
void host_names_add(struct host_names *l, const char *name);
/** host_names_text(l): The list, with what did not fit as a number. */
const char *host_names_text(struct host_names *l);

/** host_tool(argv, ret, err): Run a program with an environment of PATH alone, no input, at most 10
 * s; its output is appended to ${ret}.  Its exit status; -1 when it could not be run. */
int host_tool(char *const argv[], struct buf *ret, struct error *err);

/** host_service(systemd, without): Which of two remedies fits this host. */
const char *host_service(const char *systemd, const char *without);

/** host_probe(r, user): Log ${user} in twice, by pipes and on a terminal, as sshd would; look
 * whether it works and whether it is in the database. */
void host_probe(struct check_run *r, const char *user);

/** host_bypass(say, user, err): Settings of sshd by which a user of this host gets past the
 * recorder; ${say} with each and what to do.  How many; -1 when it cannot be told. */
int host_bypass(void (*say)(void *user, const char *text, const char *advice), void *user,
                struct error *err);

/* For the tables alone. */
void host_check_paths(struct check_run *r);
void host_check_writer(struct check_run *r);
void host_check_users(struct check_run *r);
void host_check_sshd(struct check_run *r);
/** host_pam_witness(service, ret_loginuid): Whether the witness stands in its session stack; 0, 1,
 * -1 where there is no such service. */
int host_pam_witness(const char *service, bool *ret_loginuid);
void host_check_pam(struct check_run *r);
void host_check_disk(struct check_run *r);
void host_check_clock(struct check_run *r);

#endif
