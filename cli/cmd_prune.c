/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "common/clock.h"
#include "common/log.h"
#include "shipper/prune.h"

#define DAY_US INT64_C(86400000000)
#define MIB    INT64_C(1048576)

static const char help[] =
    "Usage: ttytrail prune [OPTION...]\n\n"
    "Removes from the database what was shipped and is old: the bytes of segments that the store\n"
    "has confirmed, oldest first.  Rows, hashes and chain heads stay, so that 'verify' and 'list'\n"
    "still tell of every session.  'import' brings a session back, into another database.\n\n"
    "  --keep-days N   what was sealed longer ago goes; default: 'keep_days' of [store]\n"
    "  --keep-mib N    and what is more than this, oldest first; 0: no limit;\n"
    "                  default: 'keep_mib' of [store]\n"
    "  --dry-run       say what would go, remove nothing\n"
    "  --json          one JSON object\n"
    "  -q, --quiet     say nothing but what went wrong\n"
    "  --socket PATH   control socket of an installed writer\n"
    "  --db FILE       the database\n"
    "  --config FILE   the configuration: [store]\n"
    "  -h, --help      this text\n\n"
    "Of a directory each batch is read back first; what is not in it stays, and is named.\n"
    "Exit status: 0 done (or nothing to do), 1 failed or a batch is not in the store, 2 usage.\n\n"
    "Examples:\n"
    "  ttytrail prune --dry-run\n"
    "  ttytrail prune --keep-days 7 --keep-mib 2048\n";

struct options {
    struct cmd_common common;
    const char *socket;
    int64_t keep_days, keep_mib; /* -1: not given */
    bool dry_run, json, quiet;
};

enum { OPT_DAYS = 1, OPT_MIB, OPT_DRY, OPT_JSON, OPT_QUIET, OPT_SOCKET };

static int take_number(const char *name, const char *text, int64_t max, int64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *ret < 0 || *ret > max) {
        return cmd_usage(&cmd_prune, "%s %.40s: a number from 0 to %" PRId64 " is needed", name,
                         text, max);
    }
    return -1;
}

/* CMD_DONE after --help, CMD_USAGE; -1: go on. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"keep-days", required_argument, NULL, OPT_DAYS},
                                          {"keep-mib", required_argument, NULL, OPT_MIB},
                                          {"dry-run", no_argument, NULL, OPT_DRY},
                                          {"json", no_argument, NULL, OPT_JSON},
                                          {"quiet", no_argument, NULL, OPT_QUIET},
                                          {"socket", required_argument, NULL, OPT_SOCKET},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    int opt;

    while ((opt = getopt_long(argc, argv, "hq", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_prune, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc == -2 && opt == OPT_DAYS) {
            rc = take_number("--keep-days", optarg, 36500, &o->keep_days);
        } else if (rc == -2 && opt == OPT_MIB) {
            rc = take_number("--keep-mib", optarg, INT64_C(1) << 30, &o->keep_mib);
        }
        if (rc >= 0) {
            return rc;
        }
        o->socket = opt == OPT_SOCKET ? optarg : o->socket;
        o->dry_run |= opt == OPT_DRY;
        o->json |= opt == OPT_JSON;
        o->quiet |= opt == OPT_QUIET || opt == 'q';
    }
    if (optind < argc) {
        return cmd_usage(&cmd_prune, "unexpected argument '%.100s'", argv[optind]);
    }
    return -1;
}

static void say(const struct options *o, const struct prune_result *r)
{
    if (o->json) {
        (void)printf("{\"dry_run\":%s,\"segments\":%" PRId64 ",\"sessions\":%" PRId64
                     ",\"bytes\":%" PRId64 ",\"kept_bytes\":%" PRId64 ",\"missing\":%" PRId64
                     ",\"unknown\":%" PRId64 "}\n",
                     o->dry_run ? "true" : "false", r->segments, r->sessions, r->bytes,
                     r->kept_bytes, r->missing, r->unknown);
    } else if (!o->quiet && r->segments == 0) {
        (void)printf("nothing to prune: %" PRId64 " bytes stay\n", r->kept_bytes);
    } else if (!o->quiet) {
        (void)printf("%s %" PRId64 " segments of %" PRId64 " sessions, %" PRId64 " bytes; %" PRId64
                     " bytes stay\n",
                     o->dry_run ? "would prune" : "pruned", r->segments, r->sessions, r->bytes,
                     r->kept_bytes);
    }
}

static void say_note(void *user, const char *text)
{
    char line[1024];

    (void)user;
    (void)fprintf(stderr, "ttytrail prune: %s\n",
                  log_escape(text, strlen(text), line, sizeof line));
}

static void say_unknown(const struct prune_result *r)
{
    if (r->unknown > 0) {
        (void)fprintf(stderr,
                      "ttytrail prune: %" PRId64
                      " sessions are marked as shipped, but the shipper's "
                      "state does not say where to: they stay (see ttytrail(1), prune)\n",
                      r->unknown);
    }
}

static int run(int argc, char **argv)
{
    struct options o = {.keep_days = -1, .keep_mib = -1};
    struct prune_config config = {.now_us = clock_unix_us()};
    struct error err = {.kind = ERR_NONE};
    struct evidence_place at;
    struct prune_result r;
    int rc = parse(argc, argv, &o);

    if (rc >= 0) {
        return rc;
    }
    if (evidence_place(&o.common, o.socket, &at, &err) != 0) {
        return cmd_fail(&err);
    }
    if (evidence_be_owner(&at, &err) != 0) {
        evidence_place_clear(&at);
        return cmd_fail(&err);
    }
    config.db = at.db;
    config.socket_or_null = at.socket_or_null;
    config.keep_us = (o.keep_days >= 0 ? o.keep_days : at.conf.keep_days) * DAY_US;
    config.keep_bytes = (o.keep_mib >= 0 ? o.keep_mib : at.conf.keep_mib) * MIB;
    config.dry_run = o.dry_run;
    config.note = say_note;
    rc = prune_run(&config, &r, &err) != 0 ? cmd_fail(&err) : CMD_DONE;
    if (rc == CMD_DONE || r.segments > 0) {
        say(&o, &r);
        say_unknown(&r);
    }
    if (rc == CMD_DONE && r.missing > 0) {
        rc = CMD_FAILED;
    }
    evidence_place_clear(&at);
    return rc;
}

const struct cmd cmd_prune = {
    .name = "prune",
    .summary = "remove here what was shipped and is old",
    .help = help,
    .run = run,
};
