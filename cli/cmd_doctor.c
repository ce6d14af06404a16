/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/host.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/json_write.h"
#include "common/log.h"
#include "shipper/checks.h"

#define FINDINGS 1
#define BLIND    3

static const char help[] =
    "Usage: ttytrail doctor [OPTION...]\n\n"
    "Looks whether everything is as it should be, and says what to do where it is not: settings,\n"
    "rights, the writer, who is recorded, the wiring of sshd and PAM, disk and clock; "
    "credentials,\n"
    "the road to the store and its clock, what waits to be shipped, and whether everybody on this\n"
    "host can use its role.  Stores one small object a day, below this host's own name.\n\n"
    "  --login-probe[=USER]\n"
    "                  log a user without rights in (nobody, if none is named), with pipes and on\n"
    "                  a terminal, and look whether that works and is recorded\n"
    "  --to URL        the store; default: 'to' of [ship]\n"
    "  --json          one JSON object for each thing said, and one for the sum\n"
    "  -q, --quiet     only what is to be done\n"
    "  --db FILE       the database\n"
    "  --config FILE   the configuration\n"
    "  -h, --help      this text\n\n"
    "Exit status: 0 all is well; 1 findings; 2 usage; 3 something could not be looked at.\n\n"
    "Examples:\n"
    "  sudo ttytrail doctor --login-probe\n"
    "  ttytrail doctor --config new.conf --json\n";

/* Each room's checks, in the order in which they are read. */
static const struct check *const tables[] = {host_checks, shipper_checks};

struct options {
    struct cmd_common common;
    const char *to;
    const char *probe; /* a user's name; NULL: no probe */
    bool json, quiet;
};

struct doctor {
    struct options o;
    int findings, blind;
};

static int parse(int argc, char **argv, struct options *o)
{
    enum { OPT_TO = 1, OPT_JSON, OPT_QUIET, OPT_PROBE };
    static const struct option longs[] = {{"to", required_argument, NULL, OPT_TO},
                                          {"json", no_argument, NULL, OPT_JSON},
                                          {"quiet", no_argument, NULL, OPT_QUIET},
                                          {"login-probe", optional_argument, NULL, OPT_PROBE},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    int opt;

    while ((opt = getopt_long(argc, argv, "hq", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_doctor, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc >= 0) {
            return rc;
        }
        o->to = opt == OPT_TO ? optarg : o->to;
        if (opt == OPT_PROBE) {
            o->probe = optarg != NULL ? optarg : "nobody";
        }
        o->json |= opt == OPT_JSON;
        o->quiet |= opt == OPT_QUIET || opt == 'q';
    }
    if (optind < argc) {
        return cmd_usage(&cmd_doctor, "unexpected argument '%.100s'", argv[optind]);
    }
    return -1;
}

static const char *word(enum check_result result)
{
    static const char *const words[] = {[CHECK_OK] = "ok",
                                        [CHECK_NOTE] = "note",
                                        [CHECK_FINDING] = "finding",
                                        [CHECK_BLIND] = "blind"};

    return words[result];
}

static void say_json(const char *name, enum check_result result, const char *text,
                     const char *advice)
{
    struct buf b;

    buf_init(&b, 1U << 16);
    if (buf_printf(&b, NULL, "{\"check\":") == 0 && json_string(&b, name, NULL) == 0 &&
        buf_printf(&b, NULL, ",\"result\":\"%s\",\"text\":", word(result)) == 0 &&
        json_string(&b, text, NULL) == 0 && buf_puts(&b, ",\"advice\":", NULL) == 0 &&
        json_string(&b, advice, NULL) == 0) {
        (void)printf("%.*s}\n", (int)b.len, (const char *)buf_data(&b));
    }
    buf_clear(&b);
}

static void on_say(void *user, const char *name, enum check_result result, const char *text,
                   const char *advice)
{
    struct doctor *d = user;
    char line[2048];

    d->findings += result == CHECK_FINDING;
    d->blind += result == CHECK_BLIND;
    if (d->o.quiet && (result == CHECK_OK || result == CHECK_NOTE)) {
        return;
    }
    if (d->o.json) {
        say_json(name, result, text, advice);
        return;
    }
    (void)printf("%-8s %-13s %s\n", word(result), name,
                 log_escape(text, strlen(text), line, sizeof line));
    if (advice != NULL) {
        (void)printf("%-8s %-13s do: %s\n", "", "", advice);
    }
}

static void say_sum(const struct doctor *d)
{
    if (d->o.json) {
        (void)printf("{\"check\":\"sum\",\"findings\":%d,\"blind\":%d}\n", d->findings, d->blind);
    } else if (d->findings + d->blind == 0) {
        (void)printf("%s", d->o.quiet ? "" : "all is well\n");
    } else {
        (void)printf("%d finding%s; %d could not be looked at\n", d->findings,
                     d->findings == 1 ? "" : "s", d->blind);
    }
}

/* Without settings the checks that go by them would look at the wrong things: they are left out. */
static int configuration(struct doctor *d, struct check_run *r, struct conf *conf)
{
    char path[4096];
    struct error err = {.kind = ERR_NONE};

    r->name = "configuration";
    if (conf_open(conf, d->o.common.config, &err) != 0) {
        check_say(r, err.kind == ERR_USAGE ? CHECK_FINDING : CHECK_BLIND,
                  "correct it (ttytrail.conf(5)) and ask again: only the host was looked at", "%s",
                  err.text);
        return -1;
    }
    if (d->o.common.config != NULL) {
        check_say(r, CHECK_OK, NULL, "%s", d->o.common.config);
    } else if (conf_default_path(path, sizeof path)) {
        check_say(r, CHECK_OK, NULL, "%s", path);
    } else {
        check_say(r, CHECK_OK, NULL, "there is no file: every setting is at its default");
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct doctor d = {.findings = 0};
    struct error err = {.kind = ERR_NONE};
    struct conf conf = {.ship_to = NULL};
    struct check_run r = {.conf = &conf, .now_us = clock_unix_us(), .say = on_say, .user = &d};
    char db[4096];
    bool settings;
    int rc = parse(argc, argv, &d.o);

    if (rc >= 0) {
        return rc;
    }
    if (cmd_db_path(&d.o.common, db, sizeof db, &err) != 0) {
        return cmd_fail(&err);
    }
    r.db = db;
    settings = configuration(&d, &r, &conf) == 0;
    if (!settings) {
        conf_clear(&conf);
        if (conf_init(&conf, &err) != 0) {
            return cmd_fail(&err);
        }
    }
    r.to = d.o.to != NULL ? d.o.to : conf.ship_to;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (settings || tables[i] == host_checks) {
            check_all(tables[i], &r);
        }
    }
    if (d.o.probe != NULL) {
        host_probe(&r, d.o.probe);
    }
    say_sum(&d);
    conf_clear(&conf);
    return d.findings > 0 ? FINDINGS : d.blind > 0 ? BLIND : CMD_DONE;
}

const struct cmd cmd_doctor = {
    .name = "doctor",
    .summary = "is everything as it should be, and what to do",
    .help = help,
    .run = run,
};
