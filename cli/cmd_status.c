/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "cli/host.h"
#include "common/clock.h"
#include "common/json_doc.h"
#include "common/log.h"
#include "common/status.h"
#include "shipper/status.h"

#define TEXT_MAX (4U * 1024 * 1024)

static const char help[] =
    "Usage: ttytrail status [OPTION...]\n\n"
    "How recording and shipping stand, as a monitoring plugin tells it: one line with the worst\n"
    "that there is and numbers behind a '|', then a line for each thing.  Nothing is changed, and\n"
    "nobody is asked over the network.\n\n"
    "  --json          one JSON document\n"
    "  -q, --quiet     the first line only\n"
    "  --db FILE       the database\n"
    "  --config FILE   the configuration: [status] has the thresholds\n"
    "  -h, --help      this text\n\n"
    "Exit status: 0 ok, 1 warning, 2 critical (or wrong usage), 3 unknown.\n\n"
    "Examples:\n"
    "  sudo -u ttytrail ttytrail status\n"
    "  ttytrail status --json | jq .level\n";

/* Each room's rows, in the order in which they are told. */
static const struct status_row *const tables[] = {shipper_status, host_status};

struct options {
    struct cmd_common common;
    bool json, quiet;
};

struct status {
    struct options o;
    enum status_level level;
    struct buf worst;  /* what the first line says */
    struct buf lines;  /* or, as JSON, the rows */
    struct buf values; /* as plugins print them */
    struct json_doc doc;
    struct error err;
};

static const char *word(enum status_level level)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

    return words[level];
}

static int parse(int argc, char **argv, struct options *o)
{
    enum { OPT_JSON = 1, OPT_QUIET };
    static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
                                          {"quiet", no_argument, NULL, OPT_QUIET},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    int opt;

    while ((opt = getopt_long(argc, argv, "hq", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_status, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc >= 0) {
            return rc;
        }
        o->json |= opt == OPT_JSON;
        o->quiet |= opt == OPT_QUIET || opt == 'q';
    }
    if (optind < argc) {
        return cmd_usage(&cmd_status, "unexpected argument '%.100s'", argv[optind]);
    }
    return -1;
}

static void on_say(void *user, const char *name, enum status_level level, const char *text)
{
    struct status *s = user;
    char line[2048];
    bool first = s->worst.len == 0;

    (void)log_escape(text, strlen(text), line, sizeof line);
    /* '|' begins the numbers. */
    for (char *bar = strchr(line, '|'); bar != NULL; bar = strchr(bar, '|')) {
        *bar = '/';
    }
    if (first || status_worse(s->level, level) != s->level) {
        buf_reset(&s->worst);
        (void)buf_printf(&s->worst, NULL, "%s: %s", name, line);
    }
    s->level = first ? level : status_worse(s->level, level);
    (void)buf_printf(&s->lines, NULL, "%-8s %-9s %s\n", word(level), name, line);
    json_doc_object(&s->doc, NULL);
    json_doc_text(&s->doc, "name", name);
    json_doc_text(&s->doc, "level", word(level));
    json_doc_text(&s->doc, "text", text);
    json_doc_close(&s->doc);
}

static void on_value(void *user, const char *label, const char *unit, int64_t value, int64_t warn,
                     int64_t crit)
{
    struct status *s = user;

    (void)buf_printf(&s->values, NULL, " %s=%" PRId64 "%s", label, value, unit);
    if (warn >= 0 && crit >= 0) {
        (void)buf_printf(&s->values, NULL, ";%" PRId64 ";%" PRId64, warn, crit);
    }
    json_doc_object(&s->doc, NULL);
    json_doc_text(&s->doc, "value", label);
    json_doc_int(&s->doc, "is", value);
    json_doc_text(&s->doc, "unit", unit);
    json_doc_close(&s->doc);
}

static void print_text(struct status *s)
{
    (void)printf("TTYTRAIL %s - %s%s%s\n", word(s->level), buf_text(&s->worst, NULL),
                 s->values.len > 0 ? " |" : "", buf_text(&s->values, NULL));
    if (!s->o.quiet) {
        (void)fwrite(buf_data(&s->lines), 1, s->lines.len, stdout);
    }
}

/* Without settings, what stands by them is left out. */
static void look(struct status *s, const struct evidence_place *at, bool settings)
{
    struct status_run r = {.conf = &at->conf,
                           .db = at->db,
                           .now_us = clock_unix_us(),
                           .say = on_say,
                           .value = on_value,
                           .user = s};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (settings || tables[i] == host_status) {
            status_all(tables[i], &r);
        }
    }
}

static int run(int argc, char **argv)
{
    struct status s = {.level = STATUS_OK};
    struct evidence_place at;
    struct error err = {.kind = ERR_NONE};
    struct buf json;
    bool known, settings;
    int rc = parse(argc, argv, &s.o);

    if (rc >= 0) {
        return rc;
    }
    settings = known = evidence_place(&s.o.common, NULL, &at, &err) == 0;
    buf_init(&s.worst, TEXT_MAX);
    buf_init(&s.lines, TEXT_MAX);
    buf_init(&s.values, TEXT_MAX);
    buf_init(&json, TEXT_MAX);
    json_doc_begin(&s.doc, &json, &s.err);
    json_doc_object(&s.doc, NULL);
    json_doc_array(&s.doc, "rows");
    if (!settings) {
        on_say(&s, "configuration", STATUS_UNKNOWN, err.text);
        on_say(&s, "shipping", STATUS_UNKNOWN, "not looked at without a configuration");
        known = evidence_place_without(&s.o.common, &at, &err) == 0;
    }
    if (known) {
        look(&s, &at, settings);
    }
    json_doc_close(&s.doc);
    json_doc_text(&s.doc, "level", word(s.level));
    json_doc_int(&s.doc, "code", (int64_t)s.level);
    json_doc_close(&s.doc);
    if (json_doc_end(&s.doc) != 0) {
        (void)printf("TTYTRAIL UNKNOWN - %s\n", s.err.text);
        s.level = STATUS_UNKNOWN;
    } else if (s.o.json) {
        (void)fwrite(buf_data(&json), 1, json.len, stdout);
    } else {
        print_text(&s);
    }
    buf_clear(&json);
    buf_clear(&s.values);
    buf_clear(&s.lines);
    buf_clear(&s.worst);
    if (known) {
        evidence_place_clear(&at);
    }
    return (int)s.level;
}

const struct cmd cmd_status = {
    .name = "status",
    .summary = "how recording and shipping stand, for monitoring",
    .help = help,
    .run = run,
};
