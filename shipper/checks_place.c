/* SPDX-License-Identifier: Apache-2.0 */
/* The place that is shipped to: the probe, the clocks, and the road there. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/creds.h"
#include "aws/imds.h"
#include "aws/s3.h"
#include "shipper/checks.h"
#include "shipper/depot.h"
#include "shipper/identity.h"
#include "shipper/place.h"
#include "shipper/probe.h"
#include "shipper/ship.h"
#include "shipper/state_life.h"

#define SKEW_S 60 /* S3 takes 15 minutes; the order of events in a trail is in seconds */

struct place {
    struct creds *creds;
    struct s3 *s3;
    char *bucket; /* owns what prefix points into, too */
    const char *prefix;
};

static void place_close(struct place *p)
{
    if (p->s3 != NULL) {
        s3_close(p->s3);
    }
    creds_close(p->creds);
    free(p->bucket);
}

/* The caller closes, also after an error. */
static int place_open(struct place *p, const struct conf *c, const char *to, struct error *err)
{
    struct s3_config config = {.endpoint = c->s3_endpoint,
                               .region = c->s3_region,
                               .path_style = c->s3_path_style != 0,
                               .expected_owner = c->s3_expected_owner,
                               .kms_key = c->s3_kms_key,
                               .ca_file = c->s3_ca_file};
    size_t n;

    memset(p, 0, sizeof *p);
    p->bucket = strdup(to + strlen("s3://"));
    if (p->bucket == NULL) {
        return err_sys(err, "allocate");
    }
    for (n = strlen(p->bucket); n > 0 && p->bucket[n - 1] == '/'; n--) {
        p->bucket[n - 1] = '\0';
    }
    n = strcspn(p->bucket, "/");
    p->prefix = p->bucket[n] == '\0' ? "" : p->bucket + n + 1;
    p->bucket[n] = '\0';
    config.bucket = p->bucket;
    if (creds_open(&p->creds, err) != 0) {
        return -1;
    }
    config.creds = p->creds;
    return s3_open(&p->s3, &config, err);
}

/* Where the instance is; "" off EC2. */
static void own_region(char *ret, size_t size)
{
    struct imds *imds = NULL;
    struct buf b;

    ret[0] = '\0';
    buf_init(&b, size - 1);
    if (imds_open(&imds, NULL) == 0 &&
        imds_get(imds, "/latest/meta-data/placement/region", size - 1, &b, NULL) == 0) {
        memcpy(ret, buf_data(&b), b.len);
        ret[b.len] = '\0';
    }
    imds_close(imds);
    buf_clear(&b);
}

static int road(const struct conf *c, const struct place *p, enum road_probe probe, road_say *say,
                void *user, struct error *err)
{
    struct road_facts f = {.probe = probe,
                           .own_endpoint = c->s3_endpoint[0] != '\0' &&
                                           strstr(c->s3_endpoint, ".amazonaws.com") == NULL};
    const char *host = s3_host(p->s3);
    size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

    (void)snprintf(f.host, sizeof f.host, "%.*s", (int)n, host);
    (void)snprintf(f.region, sizeof f.region, "%s", s3_region(p->s3));
    (void)snprintf(f.vpce, sizeof f.vpce, "%s", c->s3_vpce);
    if (!f.own_endpoint) {
        own_region(f.own_region, sizeof f.own_region);
    }
    if (road_look(&f, c->s3_ip_ranges, err) != 0) {
        return -1;
    }
    return (int)road_judge(&f, say, user);
}

int checks_road(const struct conf *conf, const char *to, road_say *say, void *user,
                struct error *err)
{
    struct place p;
    int rc = -1;

    if (strncmp(to, "s3://", 5) != 0) {
        say(user, false, "a directory of this machine: no road", NULL);
        return ROAD_LOCAL;
    }
    if (place_open(&p, conf, to, err) == 0) {
        rc = road(conf, &p, ROAD_NOT_TRIED, say, user, err);
    }
    place_close(&p);
    return rc;
}

/* The host's name in paths: as ship.db has it, as it is set, or as the evidence has it. */
static int host_name(const struct check_run *r, char *ret, size_t size, struct error *err)
{
    struct reader *evidence = NULL;
    struct buf b;
    int rc;

    if (r->conf->s3_host_name[0] != '\0') {
        (void)snprintf(ret, size, "%s", r->conf->s3_host_name);
        return 0;
    }
    if (reader_open(&evidence, r->db, err) != 0) {
        return -1;
    }
    buf_init(&b, size - 1);
    rc = reader_meta(evidence, "host", &b, err);
    if (rc == 1) {
        memcpy(ret, buf_data(&b), b.len);
        ret[b.len] = '\0';
    } else if (rc == 0) {
        rc = err_set(err, ERR_SYSTEM, "the database names no host");
    }
    buf_clear(&b);
    reader_close(evidence);
    return rc < 0 ? -1 : 0;
}

/* A Date came with it. */
static bool answered(const struct place *p)
{
    return s3_skew_us(p->s3) != 0;
}

/* Refused is only what an answer of the store says: keys may be missing, a certificate may not be
 * trusted. */
static enum road_probe say_failure(struct check_run *r, const struct place *p,
                                   const struct error *e)
{
    static const char settings[] =
        "look at endpoint, region, path_style, expected_owner, kms_key and ca_file of [s3]";

    if (!answered(p) && e->kind == ERR_RETRY) {
        check_say(r, CHECK_FINDING, "see the road below", "%s", e->text);
        return ROAD_SILENT;
    }
    if (answered(p) && e->kind == ERR_DENIED) {
        check_say(r, CHECK_FINDING, "grant it: 'ttytrail print-policy host'; see the road below",
                  "%s", e->text);
        return ROAD_REFUSED;
    }
    check_say(r, CHECK_FINDING, e->kind == ERR_RETRY ? "try again later" : settings, "%s", e->text);
    return ROAD_NOT_TRIED;
}

static bool has_keys(struct check_run *r, const struct place *p)
{
    struct creds_view v;

    if (creds_get(p->creds, r->now_us, &v, NULL) == 0) {
        return true;
    }
    check_say(r, CHECK_BLIND, "see the credentials above", "nothing can be stored without keys");
    return false;
}

static enum road_probe probe(struct check_run *r, const struct place *p)
{
    char host[256], name[512], key[2048];
    struct error err = {.kind = ERR_NONE};
    uint8_t sha256[SHA256_DIGEST_LENGTH];
    enum s3_put_result result;
    struct s3_put put = {.key = key,
                         .bytes = PROBE_BYTES,
                         .len = PROBE_SIZE,
                         .sha256 = sha256,
                         .content_type = "text/plain"};

    if (!has_keys(r, p)) {
        return ROAD_NOT_TRIED;
    }
    if (host_name(r, host, sizeof host, &err) != 0) {
        check_say(r, CHECK_BLIND, "record something first, or set host_name of [s3]",
                  "this host has no name yet to store anything below: %s", err.text);
        return ROAD_NOT_TRIED;
    }
    probe_name(host, r->now_us, name, sizeof name);
    (void)snprintf(key, sizeof key, "%.1000s%s%s", p->prefix, p->prefix[0] == '\0' ? "" : "/",
                   name);
    (void)SHA256((const unsigned char *)PROBE_BYTES, PROBE_SIZE, sha256);
    if (s3_put(p->s3, &put, &result, &err) != 0) {
        return say_failure(r, p, &err);
    }
    check_say(r, CHECK_OK, NULL, "%s %s", name,
              result == S3_PUT_CONFIRMED ? "was stored, and its checksum came back"
                                         : "is there already, of today: it may be stored");
    return ROAD_TAKEN;
}

static void say_clock(struct check_run *r, const struct place *p)
{
    int64_t skew = s3_skew_us(p->s3) / 1000000;

    r->name = "clock";
    if (!answered(p)) {
        check_say(r, CHECK_NOTE, NULL, "no answer of the store to compare with");
    } else if (skew > SKEW_S || skew < -SKEW_S) {
        check_say(r, CHECK_FINDING, "run chrony against 169.254.169.123",
                  "this clock is %" PRId64 " s %s the store's", skew < 0 ? -skew : skew,
                  skew < 0 ? "ahead of" : "behind");
    } else {
        check_say(r, CHECK_OK, NULL, "within %d s of the store's", SKEW_S);
    }
}

static void on_road(void *user, bool finding, const char *text, const char *advice)
{
    check_say(user, finding ? CHECK_FINDING : CHECK_NOTE, advice, "%s", text);
}

/* What ship.db knows of the place; without it the first run is judged. */
static int bound(const struct check_run *r, struct error *err)
{
    char state_path[4096], key_path[4096];
    struct state *s = NULL;
    char *where = ship_place(r->to);
    int rc = -1;

    if (where == NULL) {
        return err_sys(err, "allocate");
    }
    if (ship_paths(r->db, state_path, key_path, sizeof state_path, err) == 0 &&
        (state_look(&s, state_path, err) == 0 ||
         (err->kind == ERR_SYSTEM && err->code == ENOENT))) {
        rc = s != NULL && state_place_check(s, where, NULL) != 0 ? 0 : place_there(s, where, err);
    }
    state_close(s);
    free(where);
    return rc;
}

/* Tried, since rights alone do not tell whether a directory can be made there. */
static void can_be_made(struct check_run *r, const char *dir)
{
    char path[4200];
    size_t n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/') {
        n--;
    }
    while (n > 0 && dir[n - 1] != '/') {
        n--;
    }
    (void)snprintf(path, sizeof path, "%.*s.ttytrail-doctor.XXXXXX", (int)n, dir);
    if (mkdtemp(path) == NULL) {
        check_say(r, CHECK_FINDING, "make it, and let this user write there, or correct the URL",
                  "%s does not exist, and cannot be made: %s", dir, strerror(errno));
    } else {
        (void)rmdir(path);
        check_say(r, CHECK_NOTE, NULL, "%s does not exist yet: ship makes it", dir);
    }
}

static void directory(struct check_run *r)
{
    const char *dir = place_dir(r->to);
    struct error err = {.kind = ERR_NONE};
    struct depot *store = NULL;

    if (depot_open(&store, r->to, r->conf, &err) != 0) {
        check_say(r, CHECK_FINDING, "correct 'to' of [ship], or --to", "%s", err.text);
        return;
    }
    depot_close(store);
    if (bound(r, &err) != 0) {
        if (err.kind == ERR_DENIED) {
            check_say(r, CHECK_FINDING, "mount it, or correct the URL", "%s", err.text);
        } else {
            check_say(r, CHECK_BLIND, "run this as the user who ships", "%s", err.text);
        }
    } else if (access(dir, W_OK | X_OK) == 0) {
        check_say(r, CHECK_OK, NULL, "%s can be written to", dir);
    } else if (errno == ENOENT) {
        can_be_made(r, dir);
    } else {
        check_say(r, CHECK_FINDING, "let this user write there", "%s: %s", dir, strerror(errno));
    }
}

void checks_place(struct check_run *r)
{
    struct error err = {.kind = ERR_NONE};
    enum road_probe answer;
    struct place p;
    int kind;

    if (r->to[0] == '\0') {
        check_say(r, CHECK_FINDING, "set 'to' of [ship], or give --to URL",
                  "nothing is shipped: what is recorded stays on this host alone");
        return;
    }
    if (strncmp(r->to, "s3://", 5) != 0) {
        directory(r);
        return;
    }
    if (place_open(&p, r->conf, r->to, &err) != 0) {
        check_say(r, CHECK_FINDING, "correct [s3] or 'to' of [ship]", "%s", err.text);
    } else {
        answer = probe(r, &p);
        say_clock(r, &p);
        r->name = "road";
        kind = road(r->conf, &p, answer, on_road, r, &err);
        if (kind < 0) {
            check_say(r, CHECK_BLIND, "correct ip_ranges of [s3]", "%s", err.text);
        } else {
            check_say(r, CHECK_OK, NULL, "%s", road_word((enum road_kind)kind));
        }
    }
    place_close(&p);
}
