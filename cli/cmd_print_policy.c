/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "common/json_write.h"
#include "shipper/policy.h"

static const char help[] =
    "Usage: ttytrail print-policy [OPTION...] WHAT\n\n"
    "Prints what to grant and what to refuse in AWS, for the configured names.  Asks nobody and\n"
    "needs no credentials.  WHAT is one of\n\n"
    "    host           IAM policy of the hosts' role: PutObject on its own path alone\n"
    "    reader         of who verifies and reads\n"
    "    correlator     of the fleet job: trail, digests, manifests and tables\n"
    "    session-manager  of people who open sessions, recorded ones only\n"
    "    bucket         policy of the bucket\n"
    "    trail-bucket   policy of the trail's bucket\n"
    "    endpoint       policy of the gateway endpoint\n"
    "    object-lock, ownership, public-access, lifecycle    settings of the bucket\n"
    "    nftables       rules that keep the instance's role to few users\n"
    "    all            one JSON object with all of them\n\n"
    "  --bucket NAME, --prefix PATH  where hosts ship to; default: 'to' of [ship]\n"
    "  --host NAME             one host's name in paths; default: host_name of [s3], and without\n"
    "                          it or where it is ROLE-ID:INSTANCE-ID, ${aws:userid}\n"
    "  --vpce ID               gateway endpoint; default: vpce of [s3]\n"
    "  --account ID, --region NAME, --partition NAME\n"
    "  --kms-key ARN           default: kms_key of [s3]\n"
    "  --trail s3://BUCKET[/PREFIX]  default: 'trail' of [trail]\n"
    "  --host-role NAME        default: ttytrail-host\n"
    "  --correlator-role NAME  default: ttytrail-correlator\n"
    "  --tagging               hosts set tags on objects\n"
    "  --retention             hosts set retention on objects\n"
    "  --lock-mode MODE        GOVERNANCE (default) or COMPLIANCE\n"
    "  --retain-days N         default: 365\n"
    "  --cold-days N           packs to STANDARD_IA after so long; default: 90, 0: never\n"
    "  --expire-days N         recordings are deleted after so long; default: 0, never\n"
    "  --read-bucket NAME      other buckets behind the endpoint, to read; several times\n"
    "  --imds-user NAME        who may use the role beside root and ttytrail; several times\n"
    "  --config FILE           the configuration: [ship], [s3] and [trail]\n"
    "  -h, --help              this text\n\n"
    "Exit status: 0 done, 1 failed (also: longer than AWS takes), 2 usage.\n\n"
    "Examples:\n"
    "  ttytrail print-policy host\n"
    "  ttytrail print-policy bucket --bucket audit-bucket --prefix prod --vpce vpce-0a1b2c3d\n"
    "  ttytrail print-policy nftables --imds-user ec2-instance-connect >/etc/nftables.d/imds.nft\n";

enum {
    OPT_BUCKET = 1,
    OPT_PREFIX,
    OPT_HOST,
    OPT_VPCE,
    OPT_ACCOUNT,
    OPT_REGION,
    OPT_PARTITION,
    OPT_KMS,
    OPT_TRAIL,
    OPT_HOST_ROLE,
    OPT_CORRELATOR_ROLE,
    OPT_TAGGING,
    OPT_RETENTION,
    OPT_LOCK_MODE,
    OPT_RETAIN,
    OPT_COLD,
    OPT_EXPIRE,
    OPT_READ_BUCKET,
    OPT_IMDS_USER
};

struct options {
    struct cmd_common common;
    struct policy_names names;
    size_t read_buckets, imds_users;
    const char *trail, *what;
};

/* A text option's place, or NULL. */
static const char **text_of(struct options *o, int opt)
{
    switch (opt) {
    case OPT_BUCKET:
        return &o->names.bucket;
    case OPT_PREFIX:
        return &o->names.prefix;
    case OPT_HOST:
        return &o->names.host;
    case OPT_VPCE:
        return &o->names.vpce;
    case OPT_ACCOUNT:
        return &o->names.account;
    case OPT_REGION:
        return &o->names.region;
    case OPT_PARTITION:
        return &o->names.partition;
    case OPT_KMS:
        return &o->names.kms_key;
    case OPT_TRAIL:
        return &o->trail;
    case OPT_HOST_ROLE:
        return &o->names.host_role;
    case OPT_CORRELATOR_ROLE:
        return &o->names.correlator_role;
    case OPT_LOCK_MODE:
        return &o->names.lock_mode;
    default:
        return NULL;
    }
}

static int one_more(const char **list, size_t *n)
{
    if (*n == POLICY_NAMES) {
        return cmd_usage(&cmd_print_policy, "more than %d of one option", POLICY_NAMES);
    }
    list[(*n)++] = optarg;
    return -1;
}

static int number(const char *name, int64_t *ret)
{
    char *end = NULL;

    errno = 0;
    *ret = strtoll(optarg, &end, 10);
    if (errno != 0 || end == optarg || *end != '\0' || *ret < 0 || *ret > 36500) {
        return cmd_usage(&cmd_print_policy, "--%s: a number of days from 0 to 36500", name);
    }
    return -1;
}

/* -1: go on. */
static int take(struct options *o, int opt, const char *name)
{
    const char **text = text_of(o, opt);

    if (text != NULL) {
        *text = optarg;
        return -1;
    }
    switch (opt) {
    case OPT_READ_BUCKET:
        return one_more(o->names.read_buckets, &o->read_buckets);
    case OPT_IMDS_USER:
        return one_more(o->names.imds_users, &o->imds_users);
    case OPT_RETAIN:
        return number(name, &o->names.retain_days);
    case OPT_COLD:
        return number(name, &o->names.cold_days);
    case OPT_EXPIRE:
        return number(name, &o->names.expire_days);
    default:
        o->names.tagging |= opt == OPT_TAGGING;
        o->names.retention |= opt == OPT_RETENTION;
        return -1;
    }
}

static const struct option longs[] = {
    {"bucket", required_argument, NULL, OPT_BUCKET},
    {"prefix", required_argument, NULL, OPT_PREFIX},
    {"host", required_argument, NULL, OPT_HOST},
    {"vpce", required_argument, NULL, OPT_VPCE},
    {"account", required_argument, NULL, OPT_ACCOUNT},
    {"region", required_argument, NULL, OPT_REGION},
    {"partition", required_argument, NULL, OPT_PARTITION},
    {"kms-key", required_argument, NULL, OPT_KMS},
    {"trail", required_argument, NULL, OPT_TRAIL},
    {"host-role", required_argument, NULL, OPT_HOST_ROLE},
    {"correlator-role", required_argument, NULL, OPT_CORRELATOR_ROLE},
    {"tagging", no_argument, NULL, OPT_TAGGING},
    {"retention", no_argument, NULL, OPT_RETENTION},
    {"lock-mode", required_argument, NULL, OPT_LOCK_MODE},
    {"retain-days", required_argument, NULL, OPT_RETAIN},
    {"cold-days", required_argument, NULL, OPT_COLD},
    {"expire-days", required_argument, NULL, OPT_EXPIRE},
    {"read-bucket", required_argument, NULL, OPT_READ_BUCKET},
    {"imds-user", required_argument, NULL, OPT_IMDS_USER},
    CMD_COMMON_OPTIONS,
    {NULL, 0, NULL, 0}};

static int parse(int argc, char **argv, struct options *o)
{
    int opt, at = 0;

    while ((opt = getopt_long(argc, argv, "h", longs, &at)) != -1) {
        int rc = cmd_common_option(&cmd_print_policy, opt == 'h' ? CMD_OPT_HELP : opt, &o->common);

        if (rc == -2) {
            rc = take(o, opt, longs[at].name);
        }
        if (rc >= 0) {
            return rc;
        }
    }
    if (argc - optind != 1) {
        return cmd_usage(&cmd_print_policy, "what? a role, 'bucket', 'endpoint', ... or 'all'");
    }
    o->what = argv[optind];
    if (strcmp(o->what, "all") != 0 && policy_find(o->what) == NULL) {
        return cmd_usage(&cmd_print_policy, "there is no '%.40s' to print", o->what);
    }
    if (strcmp(o->names.lock_mode, "GOVERNANCE") != 0 &&
        strcmp(o->names.lock_mode, "COMPLIANCE") != 0) {
        return cmd_usage(&cmd_print_policy, "--lock-mode: GOVERNANCE or COMPLIANCE");
    }
    return -1;
}

/* "s3://bucket/some/prefix/": both parts, for the caller to free through *ret_bucket. */
static int split_url(const char *url, char **ret_bucket, const char **ret_prefix)
{
    char *copy = strncmp(url, "s3://", 5) == 0 ? strdup(url + 5) : NULL, *slash;
    size_t n;

    if (copy == NULL) {
        return -1;
    }
    for (n = strlen(copy); n > 0 && copy[n - 1] == '/'; n--) {
        copy[n - 1] = '\0';
    }
    slash = strchr(copy, '/');
    *ret_prefix = "";
    if (slash != NULL) {
        *slash = '\0';
        *ret_prefix = slash + 1;
    }
    *ret_bucket = copy;
    return 0;
}

/* What [s3] host_name is to a policy: its own name, unless that is what IAM fills in. */
static const char *host_of(const struct conf *c)
{
    const char *colon = strchr(c->s3_host_name, ':');

    if (c->s3_host_name[0] == '\0' ||
        (strncmp(c->s3_host_name, "AROA", 4) == 0 && colon != NULL && colon[1] != '\0')) {
        return POLICY_USERID;
    }
    return c->s3_host_name;
}

static const char *first_of(const char *a, const char *b)
{
    return a != NULL ? a : b;
}

struct places {
    char *bucket, *trail;
};

static void fill(struct options *o, const struct conf *c, struct places *p)
{
    const char *prefix = "", *trail = first_of(o->trail, c->trail);
    struct policy_names *n = &o->names;

    if (split_url(c->ship_to, &p->bucket, &prefix) == 0 && n->bucket == NULL) {
        n->bucket = p->bucket;
        n->prefix = first_of(n->prefix, prefix);
    }
    n->prefix = first_of(n->prefix, "");
    n->trail_bucket = n->trail_prefix = "";
    if (split_url(trail, &p->trail, &n->trail_prefix) == 0) {
        n->trail_bucket = p->trail;
    }
    n->trail_api = strcmp(trail, "api") == 0;
    n->host = first_of(n->host, host_of(c));
    n->vpce = first_of(n->vpce, c->s3_vpce);
    n->kms_key = first_of(n->kms_key, c->s3_kms_key);
    n->region = first_of(n->region, c->s3_region);
    n->account = first_of(n->account, c->s3_expected_owner);
    n->confirm_head = c->confirm == CONF_CONFIRM_HEAD;
    n->tagging |= c->s3_tags[0] != '\0';
    n->retention |= c->s3_lock_mode != CONF_LOCK_BUCKET;
    n->legal_hold |= c->s3_legal_hold != 0;
}

/* What a policy lacks, and why it may not do: to people, not into the document. */
static void say_gaps(const struct options *o, const struct conf *c)
{
    const struct policy_names *n = &o->names;
    bool all = strcmp(o->what, "all") == 0, bucket = all || strcmp(o->what, "bucket") == 0;

    if ((all || bucket || strcmp(o->what, "host") == 0) && strcmp(n->host, POLICY_USERID) == 0 &&
        c->s3_host_name[0] == '\0') {
        (void)fprintf(stderr,
                      "ttytrail print-policy: hosts are bound to host=%s: set host_name of [s3] to "
                      "ROLE-ID:INSTANCE-ID on each of them, or name one with --host\n",
                      POLICY_USERID);
    }
    if (bucket && strcmp(n->host, POLICY_USERID) != 0) {
        (void)fprintf(stderr,
                      "ttytrail print-policy: with hosts named otherwise than %s the "
                      "bucket's policy does not bind them to their paths\n",
                      POLICY_USERID);
    }
    if (bucket && n->vpce[0] == '\0') {
        (void)fprintf(stderr, "ttytrail print-policy: without --vpce objects are taken over any "
                              "road, not over the gateway endpoint alone\n");
    }
    if (n->confirm_head) {
        (void)fprintf(stderr, "ttytrail print-policy: confirm = head gives everybody on a host "
                              "the right to read what it shipped\n");
    }
}

static int print_one(const struct policy *p, const struct policy_names *n, struct buf *out,
                     struct error *err)
{
    size_t size;

    buf_reset(out);
    return policy_write(p, n, out, &size, err);
}

static int say_size(const struct policy *p, const struct policy_names *n, struct error *err)
{
    struct buf out;
    size_t size = 0;
    int rc;

    buf_init(&out, POLICY_MAX_TEXT);
    rc = policy_write(p, n, &out, &size, err);
    if (rc == 0) {
        (void)fwrite(buf_data(&out), 1, out.len, stdout);
        if (p->limit > 0) {
            (void)fprintf(stderr, "ttytrail print-policy: %s: %zu of at most %zu characters\n",
                          p->what, size, p->limit);
        }
    }
    buf_clear(&out);
    return rc;
}

/* The documents are JSON already: they go in as they are. */
static int print_all(const struct policy_names *n, struct error *err)
{
    const char *comma = "{";
    struct buf out;
    int rc = 0;

    buf_init(&out, POLICY_MAX_TEXT);
    for (size_t i = 0; rc == 0 && policy_at(i) != NULL; i++) {
        const struct policy *p = policy_at(i);
        struct buf text;

        if (n->trail_bucket[0] == '\0' && strcmp(p->name, "trail-bucket") == 0) {
            continue;
        }
        rc = print_one(p, n, &out, err);
        buf_init(&text, POLICY_MAX_TEXT);
        if (rc == 0 && p->text) {
            rc = json_string_n(&text, buf_data(&out), out.len, err);
        }
        if (rc == 0) {
            const struct buf *b = p->text ? &text : &out;

            (void)printf("%s\n\"%s\": %.*s", comma, p->name, (int)(p->text ? b->len : b->len - 1),
                         (const char *)buf_data(b));
            comma = ",";
        }
        buf_clear(&text);
    }
    if (rc == 0) {
        (void)printf("\n}\n");
    }
    buf_clear(&out);
    return rc;
}

static int run(int argc, char **argv)
{
    struct options o = {.names = {.partition = "aws",
                                  .host_role = "ttytrail-host",
                                  .correlator_role = "ttytrail-correlator",
                                  .lock_mode = "GOVERNANCE",
                                  .retain_days = 365,
                                  .cold_days = 90,
                                  .imds_users = {"root", "ttytrail"}},
                        .imds_users = 2};
    struct error err = {.kind = ERR_NONE};
    struct conf conf = {.ship_to = NULL};
    struct places places = {NULL, NULL};
    int rc = parse(argc, argv, &o);

    if (rc >= 0) {
        return rc;
    }
    if (conf_open(&conf, o.common.config, &err) != 0) {
        return cmd_fail(&err);
    }
    fill(&o, &conf, &places);
    rc = policy_check(&o.names, &err);
    if (rc == 0) {
        say_gaps(&o, &conf);
        rc = strcmp(o.what, "all") == 0 ? print_all(&o.names, &err)
                                        : say_size(policy_find(o.what), &o.names, &err);
    }
    free(places.bucket);
    free(places.trail);
    conf_clear(&conf);
    return rc == 0 ? CMD_DONE : cmd_fail(&err);
}

const struct cmd cmd_print_policy = {
    .name = "print-policy",
    .summary = "what to grant and to refuse in AWS",
    .help = help,
    .run = run,
};
