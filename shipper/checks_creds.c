/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "aws/creds.h"
#include "aws/imds.h"
#include "common/clock.h"
#include "shipper/checks.h"

static bool is_s3(const struct check_run *r)
{
    return strncmp(r->to, "s3://", 5) == 0;
}

/* "" off EC2. */
static void instance_id(char *ret, size_t size)
{
    struct imds *imds = NULL;
    struct buf b;

    ret[0] = '\0';
    buf_init(&b, size - 1);
    if (imds_open(&imds, NULL) == 0 &&
        imds_get(imds, "/latest/meta-data/instance-id", size - 1, &b, NULL) == 0) {
        memcpy(ret, buf_data(&b), b.len);
        ret[b.len] = '\0';
    }
    imds_close(imds);
    buf_clear(&b);
}

/* ROLE-ID:INSTANCE-ID travels with the image of a host. */
static void check_bound_name(struct check_run *r, const char *name)
{
    const char *colon = strchr(name, ':');
    char id[64];

    instance_id(id, sizeof id);
    if (colon != NULL && id[0] != '\0' && strcmp(colon + 1, id) != 0) {
        check_say(r, CHECK_FINDING, "set the part behind the colon to this instance's id",
                  "host_name is %s, and this instance is %s", name, id);
    } else {
        check_say(r, CHECK_OK, NULL, "%s", name);
    }
}

void checks_host_name(struct check_run *r)
{
    if (!is_s3(r)) {
        check_say(r, CHECK_OK, NULL, "not used: nothing is shipped to a bucket");
    } else if (r->conf->s3_host_name[0] == '\0') {
        check_say(
            r, CHECK_FINDING,
            "set it to ROLE-ID:INSTANCE-ID ('aws iam get-role' has RoleId), which is what "
            "'ttytrail print-policy bucket' binds each host to",
            "host_name of [s3] is unset: no bucket policy can bind this host to its own path, "
            "and any host may write below another's name");
    } else {
        check_bound_name(r, r->conf->s3_host_name);
    }
}

/* The account of a key's id: base32, bits 1 to 40 behind the four letters.  Keys made since 2019
 * have it so; 0 for others.  Source: AWS's answers to sts:GetAccessKeyInfo, which needs a call. */
static int64_t account_of(const char *id)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint64_t bits = 0;

    if (strlen(id) != 20) {
        return 0;
    }
    for (size_t i = 4; i < 14; i++) { /* ten letters: 50 bits */
        const char *at = strchr(alphabet, id[i]);

        if (at == NULL) {
            return 0;
        }
        bits = bits << 5 | (uint64_t)(at - alphabet);
    }
    bits >>= 2; /* the first 48 */
    return (int64_t)((bits & UINT64_C(0x7fffffffff80)) >> 7);
}

static void say_identity(struct check_run *r, const struct creds_view *v)
{
    int64_t account = account_of(v->access_key);
    char until[32] = "never";

    if (v->expires_us != 0) {
        clock_format_utc(v->expires_us, "%Y-%m-%dT%H:%M:%SZ", until, sizeof until);
    }
    check_say(r, CHECK_OK, NULL, "from: %s; %s; they expire: %s", v->source,
              v->token[0] == '\0' ? "long-lived" : "temporary", until);
    if (account > 0 && account <= INT64_C(999999999999)) {
        check_say(r, CHECK_NOTE, NULL,
                  "the key's id tells account %012" PRId64 "; nobody was asked", account);
    }
}

void checks_credentials(struct check_run *r)
{
    struct error err = {.kind = ERR_NONE};
    struct creds_view v;
    struct creds *c;

    if (!is_s3(r)) {
        check_say(r, CHECK_OK, NULL, "not used: nothing is shipped to a bucket");
        return;
    }
    if (creds_open(&c, &err) != 0) {
        check_say(r, CHECK_BLIND, "free memory", "%s", err.text);
        return;
    }
    if (creds_get(c, r->now_us, &v, &err) != 0) {
        check_say(r, CHECK_FINDING,
                  "put that right, or give the instance a role with the policy of 'ttytrail "
                  "print-policy host'",
                  "%s", err.text);
    } else {
        say_identity(r, &v);
        if (v.expires_us != 0 && v.expires_us <= r->now_us) {
            check_say(
                r, CHECK_FINDING,
                "renew them; where they are the instance's, look whether its metadata service "
                "is well",
                "they have expired");
        } else if (v.token[0] == '\0') {
            check_say(r, CHECK_NOTE, NULL,
                      "long-lived keys lie on this host: whoever finds them keeps them; a role's "
                      "keys expire");
        }
    }
    creds_close(c);
}
