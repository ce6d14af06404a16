/* SPDX-License-Identifier: Apache-2.0 */
/* Source of what is said here: the VPC guide, "Gateway endpoints for Amazon S3". */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "aws/road.h"

struct judge {
    const struct road_facts *f;
    road_say *say;
    void *user;
};

static void tell(const struct judge *j, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(const struct judge *j, const char *advice, const char *fmt, ...)
{
    char text[700];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    j->say(j->user, advice != NULL, text, advice);
}

static size_t count(const struct road_facts *f, enum road_class class, int family)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++) {
        n += road_classify(&f->addresses[i]) == class &&
             (family == AF_UNSPEC || f->addresses[i].family == family);
    }
    return n;
}

static bool ends(const char *text, const char *end)
{
    size_t n = strlen(text), e = strlen(end);

    return n >= e && strcmp(text + n - e, end) == 0;
}

static void judge_name(const struct judge *j)
{
    const struct road_facts *f = j->f;

    if (strstr(f->host, "dualstack") != NULL) {
        tell(j,
             "take the name without 'dualstack' ([s3] endpoint), or a dual-stack gateway endpoint",
             "%s is a dual-stack name: a gateway endpoint made for IPv4 does not carry its IPv6 "
             "packets",
             f->host);
    }
    if (strcmp(f->host, "s3.amazonaws.com") == 0 || ends(f->host, ".s3.amazonaws.com")) {
        tell(j, "leave [s3] endpoint empty and set region: regional names are made from it",
             "%s is the global name: it leads to another region than the endpoint's", f->host);
    }
    if (f->own_region[0] != '\0' && f->region[0] != '\0' && !f->own_endpoint &&
        strcmp(f->own_region, f->region) != 0) {
        tell(j, "use a bucket in the instance's region, or a road of its own to the other one",
             "the bucket is in %s and this instance in %s: a gateway endpoint carries its own "
             "region only",
             f->region, f->own_region);
    }
}

static void judge_addresses(const struct judge *j)
{
    const struct road_facts *f = j->f;
    char text[ROAD_ADDRESSES * 48] = "", one[48];
    size_t used = 0;

    for (size_t i = 0; i < f->n && i < 4; i++) {
        if (inet_ntop(f->addresses[i].family, f->addresses[i].bytes, one, sizeof one) != NULL) {
            used += (size_t)snprintf(text + used, sizeof text - used, " %s", one);
        }
    }
    tell(j, NULL, "%s is%s%s", f->host, text, f->n > 4 ? " ..." : "");
    if (f->in_ranges == 1) {
        tell(j, NULL, "these are addresses of S3 in %s, with a gateway endpoint and without",
             f->region);
    } else if (f->in_ranges == 0 && !f->own_endpoint) {
        tell(j, "look at the resolver (VPC: enableDnsSupport), and whether ip_ranges is of today",
             "not all of them are S3's in %s: the prefix list does not route them to the endpoint",
             f->region);
    } else if (!f->own_endpoint && count(f, ROAD_OUTSIDE, AF_UNSPEC) > 0) {
        tell(j, NULL,
             "whether they are S3's in %s is unknown: [s3] ip_ranges names no ip-ranges.json",
             f->region[0] == '\0' ? "the region" : f->region);
    }
    if (count(f, ROAD_OUTSIDE, AF_INET6) > 0 && !f->own_endpoint) {
        tell(j, NULL,
             "IPv6 addresses go through a gateway endpoint only if that was made for "
             "IPv6 too");
    }
}

static void judge_routes(const struct judge *j)
{
    const struct road_facts *f = j->f;

    if (f->default4 == 0 && count(f, ROAD_OUTSIDE, AF_INET) > 0) {
        tell(j, NULL,
             "this machine has no IPv4 default route: packets leave only where a route "
             "names their addresses");
    } else if (f->default4 == 1 || f->default6 == 1) {
        tell(j, NULL,
             "the default route of this machine leads to the VPC's router, which decides: "
             "its route table cannot be seen from here");
    }
}

static const char silent_advice[] =
    "look, in this order, whether: the subnet's own route table has the S3 prefix list (pl-...) "
    "with the endpoint as its target; the bucket is in the endpoint's region; the security group "
    "lets TCP 443 out to that prefix list; the network ACL lets 443 out and ports 1024-65535 back "
    "in. An endpoint policy is never the cause: it answers 403";
static const char refused_advice[] =
    "look at three policies: the role's ('ttytrail print-policy host'), the bucket's ('bucket': is "
    "its aws:SourceVpce this road's endpoint?), the endpoint's ('endpoint': does it name the "
    "bucket?)";

/* Not AWS: nothing here is about endpoints of a VPC. */
static enum road_kind judge_own(const struct judge *j)
{
    bool silent = j->f->probe == ROAD_SILENT;

    tell(j, silent ? "look at its address, at the firewalls on the way, and whether it runs" : NULL,
         "a store of one's own, at a public address%s", silent ? ": nothing answers" : "");
    return ROAD_PUBLIC;
}

static enum road_kind judge_proof(const struct judge *j)
{
    const struct road_facts *f = j->f;

    if (f->probe == ROAD_SILENT) {
        tell(j, silent_advice, "nothing answers: packets to S3 are lost on their way%s",
             f->default4 == 1 ? " (a route table without endpoint and NAT drops them like this)"
                              : "");
    } else if (f->probe == ROAD_REFUSED) {
        tell(j, refused_advice, "S3 answers and refuses: there is a road, and a policy in it");
    } else if (f->probe == ROAD_TAKEN && f->vpce[0] != '\0') {
        tell(j, NULL,
             "an object was taken: if the bucket's policy is that of 'print-policy bucket' for %s, "
             "it came through that gateway endpoint",
             f->vpce);
        return ROAD_GATEWAY;
    } else {
        tell(j, NULL,
             "gateway endpoint or internet: no answer of S3 tells which. Proof is a bucket policy "
             "that demands aws:SourceVpce ('ttytrail print-policy bucket --vpce ID'; then set "
             "[s3] vpce)%s",
             f->probe == ROAD_NOT_TRIED ? " and an object that is taken ('ttytrail doctor')" : "");
    }
    return ROAD_PUBLIC;
}

enum road_kind road_judge(const struct road_facts *f, road_say *say, void *user)
{
    struct judge j = {f, say, user};

    judge_name(&j);
    if (f->proxy) {
        tell(&j, NULL,
             "a proxy is set in the environment: packets take its road, which cannot be "
             "seen from here, and the bucket sees its address");
        return ROAD_PROXIED;
    }
    if (f->n == 0) {
        tell(&j,
             "look at the resolver: the VPC needs enableDnsSupport, and the name is made of "
             "[s3] endpoint or region and the bucket",
             "%s has no address", f->host);
        return ROAD_UNKNOWN;
    }
    judge_addresses(&j);
    if (count(f, ROAD_LOOPBACK, AF_UNSPEC) == f->n) {
        tell(&j, NULL, "that is this machine");
        return ROAD_LOCAL;
    }
    if (count(f, ROAD_OUTSIDE, AF_UNSPEC) == 0) {
        tell(&j,
             f->probe == ROAD_SILENT ? "look at the interface endpoint's own security group "
                                       "(TCP 443 in), and at the routes to its subnets"
                                     : NULL,
             "all private: an interface endpoint, or a store of one's own; no gateway endpoint has "
             "such addresses%s",
             f->probe == ROAD_SILENT ? ". Nothing answers" : "");
        return ROAD_PRIVATE;
    }
    if (f->own_endpoint) {
        return judge_own(&j);
    }
    judge_routes(&j);
    return judge_proof(&j);
}
