/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which road packets take to S3, and how that is known.  A gateway endpoint changes nothing that a
 * client sees: the same names, the same public addresses; only the VPC's route table differs.  So
 * most of it is hints, and this says which are.  Everything here is pure but road_look.
 */
#ifndef TTYTRAIL_AWS_ROAD_H
#define TTYTRAIL_AWS_ROAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define ROAD_ADDRESSES 16
#define ROAD_NAME      256

struct road_address {
    int family; /* AF_INET, AF_INET6 */
    uint8_t bytes[16];
};
enum road_class { ROAD_LOOPBACK, ROAD_INSIDE, ROAD_OUTSIDE };
/** road_classify(a): Loopback; private, shared, link-local and unique local; the rest. */
enum road_class road_classify(const struct road_address *a);

/** road_default4(text), road_default6(text): Whether /proc/net/route, /proc/net/ipv6_route has a
 * default route that is up: 1, 0; -1 when ${text} is neither empty nor such a table.  Source:
 * proc(5), linux/route.h. */
int road_default4(const char *text);
int road_default6(const char *text);

/** road_in_ranges(doc, len, region, a, n, err): Whether all ${n} addresses are S3's in ${region}
 * according to AWS's ip-ranges.json: 1, 0; -1, CORRUPT, when ${doc} is no such file. */
int road_in_ranges(const char *doc, size_t len, const char *region, const struct road_address *a,
                   size_t n, struct error *err);

enum road_probe { ROAD_NOT_TRIED, ROAD_TAKEN, ROAD_REFUSED, ROAD_SILENT };
struct road_facts {
    char host[ROAD_NAME];            /* as asked for, without its port */
    char region[64], own_region[64]; /* the bucket's, the instance's; "" unknown */
    char vpce[64];                   /* that the bucket's policy demands; "" unknown */
    struct road_address addresses[ROAD_ADDRESSES];
    size_t n;
    int default4, default6;   /* as road_default4 tells */
    int in_ranges;            /* as road_in_ranges tells; -1 unknown */
    bool proxy, own_endpoint; /* a proxy is set; the endpoint is configured, not AWS's own */
    enum road_probe probe;
};

enum road_kind {
    ROAD_UNKNOWN, /* no address */
    ROAD_LOCAL,   /* this machine */
    ROAD_PROXIED, /* whatever the proxy takes */
    ROAD_PRIVATE, /* an interface endpoint, or a store of one's own */
    ROAD_GATEWAY, /* proved */
    ROAD_PUBLIC   /* gateway endpoint or internet: not to be told from here */
};
/* finding: something is to be done, ${advice} says what; NULL otherwise. */
typedef void road_say(void *user, bool finding, const char *text, const char *advice);
const char *road_word(enum road_kind kind);
/** road_judge(f, say, user): What ${f} tells, in sentences. */
enum road_kind road_judge(const struct road_facts *f, road_say *say, void *user);

/** road_look(f, ip_ranges, err): Fill in what this machine knows for f->host and f->region:
 * addresses, routes, a proxy, and the ranges of the file ${ip_ranges} ("" for none).  -1 when that
 * file cannot be read; a name that does not resolve leaves f->n 0. */
int road_look(struct road_facts *f, const char *ip_ranges, struct error *err);

#endif
