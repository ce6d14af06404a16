/* SPDX-License-Identifier: Apache-2.0 */
/* What `ttytrail status` warns of is a finding of the doctor's, too, with what to do about it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shipper/checks.h"
#include "shipper/status.h"

static const struct {
    const char *row, *advice;
} advices[] = {
    {"backlog", "run 'ttytrail ship' and read what it says; look whether its timer runs"},
    {"shipped", "run 'ttytrail ship' and read what it says; look whether its timer runs"},
    {"batches", "run 'ttytrail ship'; a batch that can never be sent is closed with --withhold"},
    {"withheld", "run 'ttytrail ship': what is whole of it goes with a later batch"},
    {"alarms", "run 'ttytrail verify' on the store, and find out who wrote there"},
    {"clock", "run chrony against 169.254.169.123"},
    {"epoch", "make sure that you know why; pin the new key, where keys are pinned"},
    {"disk", "make room: 'ttytrail prune', or a larger disk"},
};

struct told {
    struct check_run *run;
    int said;
};

static void on_say(void *user, const char *name, enum status_level level, const char *text)
{
    struct told *t = user;
    const char *advice = "run 'ttytrail status'";

    if (level == STATUS_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        if (strcmp(advices[i].row, name) == 0) {
            advice = advices[i].advice;
        }
    }
    t->said++;
    check_say(t->run, level == STATUS_UNKNOWN ? CHECK_BLIND : CHECK_FINDING, advice, "%s: %s", name,
              text);
}

static void on_value(void *user, const char *label, const char *unit, int64_t value, int64_t warn,
                     int64_t crit)
{
    (void)user;
    (void)label;
    (void)unit;
    (void)value;
    (void)warn;
    (void)crit;
}

void checks_status(struct check_run *r)
{
    struct told t = {.run = r};
    struct status_run s = {.conf = r->conf,
                           .db = r->db,
                           .now_us = r->now_us,
                           .say = on_say,
                           .value = on_value,
                           .user = &t};

    if (access(r->db, F_OK) != 0 && errno == ENOENT) {
        return; /* the check of what was shipped says so */
    }
    status_all(shipper_status, &s);
    if (t.said == 0) {
        check_say(r, CHECK_OK, NULL, "nothing that 'ttytrail status' warns of");
    }
}
