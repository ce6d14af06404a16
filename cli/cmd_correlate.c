/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail correlate: who opened each session, by CloudTrail. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/evidence.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json_write.h"
#include "common/log.h"
#include "shipper/identity_instance.h"
#include "trail/correlate.h"

#define LINE_BYTES (512U * 1024)
#define BAR_US     100000

static const char help[] =
    "Usage: ttytrail correlate [OPTION...]\n"
    "\n"
    "Reads what is new of CloudTrail's log files and ties every connection and session of this\n"
    "host to the IAM principal who opened it: exact, strong, weak, ambiguous or none, with the\n"
    "evidence.  Verdicts are kept, revised when later files say more, and stand in the host's\n"
    "journal.  Then it names accesses to this host that left no recording.\n"
    "\n"
    "Options:\n"
    "      --trail URL      s3://bucket/prefix, file:///dir, or api (LookupEvents, for few "
    "hosts);\n"
    "                       default: 'trail' of [trail];\n"
    "                       with neither, what was read before is joined again\n"
    "      --instance ID    this host's instance id; default: as the hardware says\n"
    "      --address IP     its private address, for endpoint tunnels\n"
    "  -j, --json           one JSON object a line: verdicts that changed, accesses, the sum\n"
    "  -q, --quiet          say nothing but what went wrong\n"
    "      --socket PATH    control socket of an installed writer\n"
    "      --db FILE        the evidence database\n"
    "      --config FILE    the configuration: [trail]\n"
    "  -h, --help           this\n"
    "\n"
    "Exit status: 0 done, 1 failed (or a log file could not be read), 2 usage.\n"
    "\n"
    "Examples:\n"
    "  ttytrail correlate --trail s3://org-trail\n"
    "  ttytrail correlate --trail file:///mnt/trail --instance i-0123456789abcdef0 --json\n"
    "  ttytrail who last\n";

struct options {
    struct cmd_common common;
    const char *trail, *instance, *address, *socket;
    bool json, quiet;
};

struct saying {
    const struct options *o;
    struct buf line;
    bool bar, drawn;
    uint64_t drawn_us;
    int64_t warned;
};

static void clear_bar(struct saying *s)
{
    if (s->drawn) {
        (void)fputs("\r\033[K", stderr);
        s->drawn = false;
    }
}

static void on_progress(void *user, const struct trail_read_stats *r)
{
    struct saying *s = user;
    uint64_t now = clock_boot_us();

    if (s->bar && now - s->drawn_us >= BAR_US) {
        (void)fprintf(stderr, "\r\033[Kttytrail: %" PRIu64 " log files, %" PRIu64 " MiB", r->read,
                      r->bytes / 1048576);
        (void)fflush(stderr);
        s->drawn = true;
        s->drawn_us = now;
    }
}

static void on_warn(void *user, const char *text)
{
    struct saying *s = user;
    char line[2048];

    clear_bar(s);
    s->warned++;
    (void)fprintf(stderr, "ttytrail: %s\n",
                  log_escape(text, strnlen(text, 500), line, sizeof line));
}

static void put_out(struct saying *s)
{
    clear_bar(s);
    (void)fwrite(buf_data(&s->line), 1, s->line.len, stdout);
    buf_reset(&s->line);
}

static void on_verdict(void *user, const struct subject *subject, const struct verdict *v,
                       bool changed)
{
    struct saying *s = user;
    char id[33], line[4096];

    if (!changed || s->o->quiet) {
        return;
    }
    if (s->o->json) {
        if (buf_puts(&s->line, "{\"verdict\":", NULL) == 0 &&
            verdict_json(v, &s->line, NULL) == 0 && buf_puts(&s->line, "}\n", NULL) == 0) {
            put_out(s);
        }
        return;
    }
    if (verdict_sentence(v, &s->line, NULL) == 0 && buf_text(&s->line, NULL) != NULL) {
        (void)log_escape(buf_text(&s->line, NULL), strnlen(buf_text(&s->line, NULL), 1000), line,
                         sizeof line);
        clear_bar(s);
        (void)printf("%.8s  %-12.64s %s\n", io_hex(subject->id, 16, id), subject->os_user, line);
    }
    buf_reset(&s->line);
}

static const char *what_word(enum access_left what)
{
    return what == ACCESS_UNRECORDED ? "unrecorded" : what == ACCESS_UNUSED ? "unused" : "forward";
}

static void on_left(void *user, const struct trail_stored *e, enum access_left what)
{
    static const char *const words[] = {"an access that left no recording",
                                        "a key nobody came in with", "a port that was forwarded"};
    struct saying *s = user;
    char when[40], arn[2048];

    if (s->o->quiet) {
        return;
    }
    clock_format_utc(e->event.time_us, "%Y-%m-%dT%H:%M:%SZ", when, sizeof when);
    if (!s->o->json) {
        clear_bar(s);
        (void)printf("%s  %s: %s by %s\n", when, words[what], e->event.name,
                     log_escape(e->event.who.arn, strnlen(e->event.who.arn, 500), arn, sizeof arn));
        return;
    }
    if (buf_printf(&s->line, NULL, "{\"access\":\"%s\",\"time\":\"%s\",\"event\":", what_word(what),
                   when) == 0 &&
        json_string(&s->line, e->event.id, NULL) == 0 &&
        buf_puts(&s->line, ",\"name\":", NULL) == 0 &&
        json_string(&s->line, e->event.name, NULL) == 0 &&
        buf_puts(&s->line, ",\"arn\":", NULL) == 0 &&
        json_string(&s->line, e->event.who.arn, NULL) == 0 &&
        buf_puts(&s->line, ",\"document\":", NULL) == 0 &&
        json_string(&s->line, e->event.document, NULL) == 0 &&
        buf_puts(&s->line, "}\n", NULL) == 0) {
        put_out(s);
    }
}

static void say_sum(const struct saying *s, const struct correlate_stats *r)
{
    if (s->o->quiet) {
        return;
    }
    if (s->o->json) {
        (void)printf("{\"files\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"records\":%" PRIu64
                     ",\"kept\":%" PRIu64 ",\"subjects\":%" PRId64 ",\"changed\":%" PRId64
                     ",\"unrecorded\":%" PRId64 ",\"unused\":%" PRId64 ",\"forwards\":%" PRId64,
                     r->read.read, r->read.failed, r->read.records, r->read.kept, r->subjects,
                     r->changed, r->unrecorded, r->unused, r->forwards);
        for (int g = VERDICT_NONE; g <= VERDICT_EXACT; g++) {
            (void)printf(",\"%s\":%" PRId64, verdict_grade_word((enum verdict_grade)g),
                         r->grades[g]);
        }
        (void)printf("}\n");
        return;
    }
    (void)printf("%" PRIu64 " new log files; %" PRId64 " connections and sessions: ", r->read.read,
                 r->subjects);
    for (int g = VERDICT_EXACT; g >= VERDICT_NONE; g--) {
        (void)printf("%s%" PRId64 " %s", g < VERDICT_EXACT ? ", " : "", r->grades[g],
                     verdict_grade_word((enum verdict_grade)g));
    }
    (void)printf("; %" PRId64 " verdicts changed, %" PRId64 " accesses left no recording\n",
                 r->changed, r->unrecorded);
}

static int correlate(const struct options *o, const struct evidence_place *at, struct saying *s,
                     struct error *err)
{
    char instance[INSTANCE_ID] = "";
    struct correlate_config c = {.conf = &at->conf,
                                 .db = at->db,
                                 .trail_or_null = o->trail,
                                 .address = o->address != NULL ? o->address : "",
                                 .now_us = clock_unix_us(),
                                 .verdict = on_verdict,
                                 .left = on_left,
                                 .warn = on_warn,
                                 .progress = on_progress,
                                 .user = s};
    struct correlate_stats stats;
    int rc = -1;

    if (o->instance == NULL) {
        instance_id(instance);
    }
    c.instance = o->instance != NULL ? o->instance : instance;
    if (reader_open(&c.reader, at->db, err) == 0 &&
        (at->socket_or_null == NULL ||
         control_open(&c.control, at->socket_or_null, at->db, err) == 0)) {
        rc = correlate_run(&c, &stats, err);
    }
    clear_bar(s);
    if (rc == 0) {
        say_sum(s, &stats);
    }
    control_close(c.control);
    reader_close(c.reader);
    return rc;
}

static int parse(int argc, char **argv, struct options *o)
{
    enum { OPT_TRAIL = 1, OPT_INSTANCE, OPT_ADDRESS, OPT_SOCKET };
    static const struct option longs[] = {{"trail", required_argument, NULL, OPT_TRAIL},
                                          {"instance", required_argument, NULL, OPT_INSTANCE},
                                          {"address", required_argument, NULL, OPT_ADDRESS},
                                          {"socket", required_argument, NULL, OPT_SOCKET},
                                          {"json", no_argument, NULL, 'j'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          CMD_COMMON_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    int opt;

    argv[0] = (char *)"ttytrail correlate"; /* as getopt's own messages begin */
    while ((opt = getopt_long(argc, argv, "jqh", longs, NULL)) != -1) {
        int rc = cmd_common_option(&cmd_correlate, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc >= 0) {
            return rc;
        }
        o->json |= opt == 'j';
        o->quiet |= opt == 'q';
        o->trail = opt == OPT_TRAIL ? optarg : o->trail;
        o->instance = opt == OPT_INSTANCE ? optarg : o->instance;
        o->address = opt == OPT_ADDRESS ? optarg : o->address;
        o->socket = opt == OPT_SOCKET ? optarg : o->socket;
    }
    if (optind < argc) {
        return cmd_usage(&cmd_correlate, "unexpected argument '%.100s'", argv[optind]);
    }
    if (o->trail != NULL && strcmp(o->trail, "api") != 0 && !depot_is_url(o->trail)) {
        return cmd_usage(&cmd_correlate, "--trail %.100s: neither s3://BUCKET, file:///DIR nor api",
                         o->trail);
    }
    return -1;
}

static int run(int argc, char **argv)
{
    struct options o = {.json = false};
    struct evidence_place at;
    struct error err = {.kind = ERR_NONE};
    struct saying s = {.o = &o, .bar = cmd_terminal(STDERR_FILENO)};
    int rc = parse(argc, argv, &o);

    if (rc >= 0) {
        return rc;
    }
    if (evidence_place(&o.common, o.socket, &at, &err) != 0) {
        return cmd_fail(&err);
    }
    s.bar = s.bar && !o.quiet;
    buf_init(&s.line, LINE_BYTES);
    rc = evidence_be_owner(&at, &err) != 0 || correlate(&o, &at, &s, &err) != 0 ? cmd_fail(&err)
         : s.warned > 0                                                         ? CMD_FAILED
                                                                                : CMD_DONE;
    buf_clear(&s.line);
    evidence_place_clear(&at);
    return rc;
}

const struct cmd cmd_correlate = {
    .name = "correlate",
    .summary = "who opened each session, by CloudTrail",
    .help = help,
    .run = run,
};
