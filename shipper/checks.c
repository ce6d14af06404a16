/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/checks.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/imds.h"
#include "common/clock.h"
#include "shipper/place.h"
#include "shipper/ship.h"
#include "shipper/state.h"

#define PATIENCE_S 600 /* beside ship_every_s: a timer may have been late once */

const struct check shipper_checks[] = {
    {"host name", checks_host_name},
    {"metadata", checks_metadata},
    {"credentials", checks_credentials},
    {"probe", checks_place},
    {"shipping", checks_shipping},
    {"status", checks_status},
    {NULL, NULL},
};

static void last_batch(struct check_run *r)
{
    char state_path[4096], key_path[4096], when[32];
    struct error err = {.kind = ERR_NONE};
    struct state_identity id;
    struct state *s = NULL;

    if (ship_paths(r->db, state_path, key_path, sizeof state_path, &err) != 0 ||
        access(state_path, F_OK) != 0) {
        check_say(r, CHECK_NOTE, NULL, "nothing was shipped from this database yet");
        return;
    }
    if (state_open(&s, state_path, &err) == 0 && state_identity(s, &id, &err) == 0) {
        if (!id.known || id.last_us == 0) {
            check_say(r, CHECK_NOTE, NULL, "nothing was shipped from this database yet");
        } else {
            clock_format_utc(id.last_us, "%Y-%m-%dT%H:%M:%SZ", when, sizeof when);
            check_say(r, CHECK_OK, NULL, "last batch: number %" PRId64 ", %s", id.seq, when);
        }
    } else if (err.kind != ERR_RETRY) {
        check_say(r, CHECK_BLIND, "run this as the user who ships", "%s", err.text);
    }
    state_close(s);
}

static void say_backlog(struct check_run *r, const struct ship_plan *p)
{
    int64_t age_s = p->oldest_us == 0 ? 0 : (r->now_us - p->oldest_us) / 1000000;

    if (p->segments + p->frozen == 0) {
        check_say(r, CHECK_OK, NULL, "nothing sealed waits");
        return;
    }
    check_say(r, CHECK_NOTE, NULL,
              "%" PRId64 " segment%s of %" PRId64 " session%s wait%s, %" PRId64
              " bytes, the oldest for %" PRId64 " s; %" PRId64 " frozen batch%s not stored",
              p->segments, p->segments == 1 ? "" : "s", p->sessions, p->sessions == 1 ? "" : "s",
              p->segments == 1 ? "s" : "", p->bytes, age_s, p->frozen,
              p->frozen == 1 ? " is" : "es are");
    if (age_s > r->conf->ship_every_s + PATIENCE_S) {
        check_say(r, CHECK_FINDING,
                  "run 'ttytrail ship' and read what it says; look whether its "
                  "timer runs",
                  "what waits should have been shipped after %" PRId64 " s", r->conf->ship_every_s);
    }
}

void checks_shipping(struct check_run *r)
{
    struct ship_config config = {.db = r->db, .to = r->to, .conf = r->conf};
    struct error err = {.kind = ERR_NONE};
    struct ship_plan plan;

    if (access(r->db, F_OK) != 0 && errno == ENOENT) {
        check_say(r, CHECK_NOTE, NULL, "nothing has been recorded yet: %s", r->db);
        return;
    }
    last_batch(r);
    if (ship_plan(&config, &plan, &err) == 0) {
        say_backlog(r, &plan);
    } else if (err.kind == ERR_RETRY) {
        check_say(r, CHECK_NOTE, NULL, "%s", err.text);
    } else if (err.kind == ERR_USAGE) {
        check_say(r, CHECK_FINDING, "ship to the one place, or see ttytrail(1), ship", "%s",
                  err.text);
    } else if (err.kind == ERR_DENIED && place_dir(r->to) != NULL) {
        check_say(r, CHECK_NOTE, NULL, "what waits was not looked at: %s", err.text);
    } else {
        check_say(r, CHECK_BLIND, "run this as the user who ships", "%s", err.text);
    }
}

/* Whether this process can get the name of a role: 1, 0; -1 when there is no such service. */
static int role_within_reach(void)
{
    struct error err = {.kind = ERR_NONE};
    struct imds *imds = NULL;
    struct buf b;
    int rc = -1;

    buf_init(&b, 4096);
    if (imds_open(&imds, &err) == 0) {
        rc = imds_get(imds, "/latest/meta-data/iam/security-credentials/", 4096, &b, &err) == 0;
        rc = rc == 0 && err.kind == ERR_RETRY ? -1 : rc;
    }
    imds_close(imds);
    buf_clear(&b);
    return rc;
}

/* In a child that is nobody, for good. */
static int as_nobody(void)
{
    const struct passwd *nobody = getpwnam("nobody");
    int status;
    pid_t pid;

    if (nobody == NULL) {
        return -2;
    }
    pid = fork();
    if (pid < 0) {
        return -2;
    }
    if (pid == 0) {
        if (setgroups(0, NULL) != 0 ||
            setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid) != 0 ||
            setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid) != 0) {
            _exit(3);
        }
        _exit(role_within_reach() + 1);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) <= 2 ? WEXITSTATUS(status) - 1 : -2;
}

void checks_metadata(struct check_run *r)
{
    bool root = geteuid() == 0;
    int reach = root ? as_nobody() : role_within_reach();

    if (reach == -2) {
        check_say(r, CHECK_BLIND, "look whether there is a user 'nobody'",
                  "cannot look with the eyes of 'nobody'");
    } else if (reach == 1) {
        check_say(r, CHECK_FINDING,
                  "keep the metadata service to root, ttytrail and those who need it: 'ttytrail "
                  "print-policy nftables'; and grant the role nothing but 'print-policy host'",
                  "the instance's role can be used by everybody on this host: %s got it from the "
                  "metadata service",
                  root ? "'nobody'" : "this user");
    } else {
        check_say(r, CHECK_OK, NULL,
                  reach == 0 ? "the metadata service gives %s no role"
                             : "no metadata service answers %s",
                  root ? "'nobody'" : "this user");
    }
}
