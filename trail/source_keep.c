/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trail/record.h"
#include "trail/source_impl.h"

/* As they stand in a record, quotes and all: "SendSSHPublicKey " is documented with a blank. */
static const char *const names[] = {
    "\"SendSSHPublicKey",   "\"SendSerialConsoleSSHPublicKey",
    "\"OpenTunnel",         "\"StartSession",
    "\"ResumeSession",      "\"TerminateSession",
    "\"AssumeRole",         "\"AssumeRoot",
    "\"GetFederationToken", "\"GetSessionToken",
    "\"ConsoleLogin",
};
#define NAMES (sizeof names / sizeof *names)

void keeper_warn(const struct keeper *k, const char *fmt, ...)
{
    char line[1600];
    va_list ap;

    if (k->warn != NULL) {
        va_start(ap, fmt);
        (void)vsnprintf(line, sizeof line, fmt, ap);
        va_end(ap);
        k->warn(k->user, line);
    }
}

/* Instance ids and addresses are searched for as whole strings or parts of ARNs: what can stand
 * beside an id is no letter of one, beside an address only a quote. */
static char *host_word(const char *host)
{
    char *ret = NULL;

    if (strpbrk(host, ".:") != NULL) {
        return asprintf(&ret, "\"%s\"", host) < 0 ? NULL : ret;
    }
    return strdup(host);
}

static int make_sets(struct keeper *k, const char **all, size_t n, struct error *err)
{
    return needles_make(&k->hosts, all + NAMES, n, err) != 0 ||
                   needles_make(&k->any, all, NAMES + n, err) != 0
               ? -1
               : 0;
}

int keeper_open(struct keeper *k, const char *const *hosts, size_t n, struct error *err)
{
    char **all = calloc(NAMES + n, sizeof *all);
    size_t words = 0;
    int rc = 0;

    if (all == NULL) {
        return err_sys(err, "allocate");
    }
    for (size_t i = 0; rc == 0 && i < NAMES; i++) {
        all[i] = strdup(names[i]);
        rc = all[i] == NULL ? err_sys(err, "allocate") : 0;
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (strlen(hosts[i]) >= NEEDLES_SHORTEST) { /* "::1" and "" say nothing */
            all[NAMES + words] = host_word(hosts[i]);
            rc = all[NAMES + words++] == NULL ? err_sys(err, "allocate") : 0;
        }
    }
    if (rc == 0 && make_sets(k, (const char **)all, words, err) == 0) {
        rc = json_open(&k->json, err);
    } else {
        rc = -1;
    }
    for (size_t i = 0; i < NAMES + n; i++) {
        free(all[i]);
    }
    free(all);
    if (rc != 0) {
        keeper_close(k);
    }
    return rc;
}

void keeper_close(struct keeper *k)
{
    needles_free(k->any);
    needles_free(k->hosts);
    json_close(k->json);
    k->any = k->hosts = NULL;
    k->json = NULL;
}

/* A service that takes on a role is nobody's step, unless it is for a host of ours. */
static bool matters(struct keeper *k, struct trail_event *e, const char *text, size_t len)
{
    bool service = e->kind == TRAIL_ASSUME && strcmp(e->who.type, "AWSService") == 0;

    if (e->kind != TRAIL_NOISE && !service) {
        return true;
    }
    if (!needles_any(k->hosts, text, len)) {
        return false;
    }
    e->kind = e->kind == TRAIL_NOISE ? TRAIL_CALL : e->kind;
    return true;
}

int keeper_take(void *user, const char *text, size_t len)
{
    struct keeper *k = user;
    struct trail_event e;
    struct error why = {.kind = ERR_NONE};
    int rc;

    if (record_read(k->json, text, len, &e, &why) != 0) {
        k->stats->bad_records++;
        keeper_warn(k, "%s: a record is left out: %s", k->object, why.text);
        return 0;
    }
    if (!matters(k, &e, text, len)) {
        return 0;
    }
    rc = trail_store_event(k->store, &e, k->object, text, len, k->err);
    if (rc < 0) {
        return -1;
    }
    *(rc == 1 ? &k->stats->kept : &k->stats->known_events) += 1;
    return 0;
}
