/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "cli/follow.h"
#include "cli/road_report.h"
#include "cli/ship_bar.h"
#include "common/json_write.h"
#include "common/log.h"
#include "common/status.h"
#include "shipper/ship.h"

#define BIG          (1024 * 1024)
#define SHIP_URL_MAX 2048

static const char help[] =
    "Usage: ttytrail ship [--to URL] [OPTION...]\n\n"
    "Sends what is recorded and not sent yet to a bucket or a directory: segments in packs, and\n"
    "one signed manifest per pack.  Run again it goes on where it stopped; with nothing new it\n"
    "sends nothing.\n\n"
    "  --to URL        s3://BUCKET[/PREFIX] or file:///DIR; default: 'to' of [ship],\n"
    "                  else where it was shipped before\n"
    "  --dry-run       say what would be sent, send nothing\n"
    "  --follow        go on: a run every 'ship_every_s', until SIGTERM\n"
    "  --stop          the host goes down: ship, and say so in a last manifest\n"
    "  --again BATCH   send the very bytes of a stored batch once more\n"
    "  --withhold BATCH --reason TEXT\n"
    "                  close a frozen batch that cannot be sent; its segments may go later\n"
    "  --rotate-key    a new signing key, vouched for by the old one\n"
    "  --json          one JSON object per batch, and one for the sum\n"
    "  -q, --quiet     say nothing but what went wrong\n"
    "  --socket PATH   control socket of an installed writer\n"
    "  --db FILE       the database\n"
    "  --config FILE   the configuration: [ship] and [s3]\n"
    "  -h, --help      this text\n\n"
    "BATCH is a number (of the epoch that is now), EPOCH/NUMBER, or a batch's whole name.\n"
    "Credentials are found as other AWS programs find them: see CREDENTIALS in ttytrail(1).\n"
    "Exit status: 0 done (or nothing to ship), 1 failed or not all could be sent, 2 usage.\n\n"
    "Examples:\n"
    "  ttytrail ship --to file:///srv/audit\n"
    "  ttytrail ship --to s3://audit-bucket/prod\n"
    "  AWS_PROFILE=audit ttytrail ship --to s3://audit-bucket/prod\n"
    "  ttytrail ship --dry-run\n"
    "  ttytrail ship --follow --quiet\n"
    "  ttytrail ship --again 42\n"
    "  ttytrail ship --withhold 43 --reason 'its disk block is gone, INC-7'\n";

struct options {
    struct cmd_common common;
    const char *to, *socket;
    struct ship_orders orders;
    bool dry_run, json, quiet, follow;
    struct ship_bar bar;
};

enum {
    OPT_TO = 1,
    OPT_DRY,
    OPT_JSON,
    OPT_QUIET,
    OPT_SOCKET,
    OPT_FOLLOW,
    OPT_STOP,
    OPT_AGAIN,
    OPT_WITHHOLD,
    OPT_REASON,
    OPT_ROTATE
};

static void take_order(struct options *o, int opt)
{
    struct ship_orders *r = &o->orders;

    o->follow |= opt == OPT_FOLLOW;
    r->stop |= opt == OPT_STOP;
    r->rotate_key |= opt == OPT_ROTATE;
    r->again = opt == OPT_AGAIN ? optarg : r->again;
    r->withhold = opt == OPT_WITHHOLD ? optarg : r->withhold;
    r->reason = opt == OPT_REASON ? optarg : r->reason;
}

/* What makes no sense together. */
static int check(const struct options *o)
{
    const struct ship_orders *r = &o->orders;
    bool orders = r->stop || r->rotate_key || r->again != NULL || r->withhold != NULL;

    if ((r->withhold != NULL) != (r->reason != NULL)) {
        return cmd_usage(&cmd_ship, "--withhold BATCH and --reason TEXT go together");
    }
    if (orders && (o->dry_run || o->follow)) {
        return cmd_usage(&cmd_ship, "--dry-run and --follow take no orders");
    }
    if (o->dry_run && o->follow) {
        return cmd_usage(&cmd_ship, "--dry-run or --follow, not both");
    }
    return -1;
}

/* CMD_DONE after --help, CMD_USAGE; -1: go on. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"to", required_argument, NULL, OPT_TO},
                                          {"dry-run", no_argument, NULL, OPT_DRY},
                                          {"json", no_argument, NULL, OPT_JSON},
                                          {"quiet", no_argument, NULL, OPT_QUIET},
                                          {"socket", required_argument, NULL, OPT_SOCKET},
                                          {"follow", no_argument, NULL, OPT_FOLLOW},
                                          {"stop", no_argument, NULL, OPT_STOP},
                                          {"again", required_argument, NULL, OPT_AGAIN},
                                          {"withhold", required_argument, NULL, OPT_WITHHOLD},
                                          {"reason", required_argument, NULL, OPT_REASON},
                                          {"rotate-key", no_argument, NULL, OPT_ROTATE},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    int opt;

    while ((opt = getopt_long(argc, argv, "hq", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_ship, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc >= 0) {
            return rc;
        }
        o->to = opt == OPT_TO ? optarg : o->to;
        o->socket = opt == OPT_SOCKET ? optarg : o->socket;
        o->dry_run |= opt == OPT_DRY;
        o->json |= opt == OPT_JSON;
        o->quiet |= opt == OPT_QUIET || opt == 'q';
        take_order(o, opt);
    }
    if (optind < argc) {
        return cmd_usage(&cmd_ship, "unexpected argument '%.100s'", argv[optind]);
    }
    return check(o);
}

static void say_note(void *user, const char *text)
{
    struct options *o = user;
    char line[1024];

    ship_bar_clear(&o->bar);
    (void)fprintf(stderr, "ttytrail ship: %s\n", log_escape(text, strlen(text), line, sizeof line));
}

static void say_batch(void *user, const struct ship_batch *b)
{
    const struct options *o = user;

    if (o->json) {
        (void)printf("{\"batch\":\"%s\",\"kind\":\"%s\",\"seq\":%" PRId64 ",\"segments\":%" PRId64
                     ",\"bytes\":%" PRId64 "}\n",
                     b->name, b->kind, b->seq, b->segments, b->bytes);
    } else if (o->bar.on) {
        return; /* the bar tells */
    } else if (!o->quiet && b->segments == 0) {
        (void)printf("%s %" PRId64 "\n", b->kind, b->seq);
    } else if (!o->quiet) {
        (void)printf("batch %" PRId64 ": %" PRId64 " segments, %" PRId64 " bytes\n", b->seq,
                     b->segments, b->bytes);
    }
    (void)fflush(stdout);
}

static void say_progress(void *user, const struct ship_progress *p)
{
    ship_bar_draw(&((struct options *)user)->bar, p);
}

static int dry_run(const struct options *o, const struct ship_config *config)
{
    struct error err = {.kind = ERR_NONE};
    struct ship_plan p;

    if (ship_plan(config, &p, &err) != 0) {
        return cmd_fail(&err);
    }
    if (o->json) {
        (void)printf("{\"dry_run\":true,\"frozen\":%" PRId64 ",\"sessions\":%" PRId64
                     ",\"segments\":%" PRId64 ",\"bytes\":%" PRId64 "}\n",
                     p.frozen, p.sessions, p.segments, p.bytes);
    } else if (p.segments == 0 && p.frozen == 0) {
        (void)printf("nothing sealed is left to ship\n");
    } else {
        (void)printf("would ship %" PRId64 " segment%s of %" PRId64 " session%s, %" PRId64
                     " bytes, and finish %" PRId64 " frozen batch%s%s%s\n",
                     p.segments, status_s(p.segments), p.sessions, status_s(p.sessions), p.bytes,
                     p.frozen, p.frozen == 1 ? "" : "es", config->to[0] == '\0' ? "" : ", to ",
                     config->to);
    }
    if (config->to[0] != '\0' && !o->quiet) {
        road_report(config->conf, config->to, o->json);
    }
    return CMD_DONE;
}

static void say_nothing(const struct ship_config *config, const struct ship_result *r)
{
    if (r->set_aside > 0) {
        (void)printf("nothing more can be shipped to %s\n", config->to);
    } else if (r->stored == 0) {
        (void)printf("nothing to ship: no sealed segment waits\n");
    } else {
        (void)printf("nothing to ship: all %" PRId64 " segments are in %s\n", r->stored,
                     config->to);
    }
}

static void say_sum(const struct options *o, const struct ship_config *config,
                    const struct ship_result *r)
{
    if (o->json) {
        (void)printf("{\"batches\":%" PRId64 ",\"heartbeats\":%" PRId64 ",\"segments\":%" PRId64
                     ",\"bytes\":%" PRId64 ",\"puts\":%" PRId64 ",\"set_aside\":%" PRId64 "}\n",
                     r->batches, r->heartbeats, r->segments, r->bytes, r->puts, r->set_aside);
    } else if (!o->quiet && r->batches == 0) {
        say_nothing(config, r);
    } else if (!o->quiet) {
        (void)printf("shipped %" PRId64 " segment%s in %" PRId64 " batch%s, %" PRId64
                     " bytes, to %s\n",
                     r->segments, status_s(r->segments), r->batches, r->batches == 1 ? "" : "es",
                     r->bytes, config->to);
    }
}

static int one_run(struct options *o, struct ship_config *config)
{
    struct error err = {.kind = ERR_NONE};
    struct ship_result r;
    int rc;

    /* Manifests go back to the system when they are sent, whatever lies behind them. */
    (void)mallopt(M_MMAP_THRESHOLD, BIG);
    ship_bar_begin(&o->bar, !o->json && !o->quiet && !o->follow);
    config->progress = o->bar.on ? say_progress : NULL;
    rc = ship_run(config, &r, &err);
    ship_bar_clear(&o->bar);
    if (rc != 0) {
        return cmd_fail(&err);
    }
    if (!o->follow || r.batches > 0) {
        say_sum(o, config, &r);
    }
    return r.set_aside > 0 ? CMD_FAILED : CMD_DONE;
}

struct round {
    struct options *options;
    struct ship_config *config;
};

static void next_round(void *user)
{
    const struct round *r = user;

    (void)one_run(r->options, r->config);
    (void)fflush(stdout);
}

static int ship(struct options *o, struct ship_config *config)
{
    struct round r = {o, config};
    struct error err;

    if (o->dry_run) {
        return dry_run(o, config);
    }
    if (o->follow) {
        return follow_rounds(config->conf->ship_every_s, next_round, &r, &err) != 0 ? cmd_fail(&err)
                                                                                    : CMD_DONE;
    }
    return one_run(o, config);
}

static int run(int argc, char **argv)
{
    struct options o = {.to = NULL};
    struct error err = {.kind = ERR_NONE};
    char place[SHIP_URL_MAX];
    struct evidence_place at;
    struct ship_config config = {
        .db = at.db, .conf = &at.conf, .batch = say_batch, .note = say_note, .user = &o};
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
    config.orders = o.orders;
    config.to = o.to != NULL ? o.to : at.conf.ship_to;
    if (config.to[0] == '\0' && ship_bound(at.db, place, sizeof place, &err) == 1) {
        config.to = place;
    }
    config.socket_or_null = at.socket_or_null;
    rc = config.to[0] == '\0' && !o.dry_run
             ? cmd_usage(&cmd_ship, "where to? --to URL, or 'to' of [ship]")
             : ship(&o, &config);
    evidence_place_clear(&at);
    return rc;
}

const struct cmd cmd_ship = {
    .name = "ship",
    .summary = "send recordings to S3 or a directory",
    .help = help,
    .run = run,
};
