/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "aws/road.h"

static struct road_address address(const char *text)
{
    struct road_address a = {.family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET};

    assert_int_equal(inet_pton(a.family, text, a.bytes), 1);
    return a;
}

static void addresses_have_classes(void **state)
{
    static const struct {
        const char *text;
        enum road_class class;
    } table[] = {
        {"127.0.0.1", ROAD_LOOPBACK},     {"10.1.2.3", ROAD_INSIDE},
        {"172.16.0.1", ROAD_INSIDE},      {"172.31.255.255", ROAD_INSIDE},
        {"172.32.0.0", ROAD_OUTSIDE},     {"172.15.255.255", ROAD_OUTSIDE},
        {"192.168.1.1", ROAD_INSIDE},     {"100.64.0.1", ROAD_INSIDE},
        {"100.128.0.1", ROAD_OUTSIDE},    {"169.254.169.254", ROAD_INSIDE},
        {"52.219.1.1", ROAD_OUTSIDE},     {"::1", ROAD_LOOPBACK},
        {"fd00:ec2::254", ROAD_INSIDE},   {"fe80::1", ROAD_INSIDE},
        {"2a05:d050::1", ROAD_OUTSIDE},   {"::ffff:10.0.0.1", ROAD_INSIDE},
        {"::ffff:8.8.8.8", ROAD_OUTSIDE}, {"::2", ROAD_OUTSIDE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct road_address a = address(table[i].text);

        if (road_classify(&a) != table[i].class) {
            fail_msg("%s: %d", table[i].text, (int)road_classify(&a));
        }
    }
}

#define HEAD                   "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define ROW(dest, flags, mask) "eth0\t" dest "\t010011AC\t" flags "\t0\t0\t0\t" mask "\t0\t0\t0\n"
#define ROW6(dest, bits, flags, device)                                                            \
    dest " " bits                                                                                  \
         " 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 "         \
         "00000001 00000000 " flags "     " device "\n"
#define ZERO6 "00000000000000000000000000000000"

static void route_tables_tell_of_a_default(void **state)
{
    (void)state;
    assert_int_equal(road_default4(""), 0);
    assert_int_equal(road_default4(HEAD), 0);
    assert_int_equal(road_default4(HEAD ROW("00000000", "0003", "00000000")), 1);
    assert_int_equal(road_default4(HEAD ROW("000011AC", "0001", "0000FFFF")), 0);
    assert_int_equal(road_default4(HEAD ROW("00000000", "0001", "00000080")), 0);
    assert_int_equal(road_default4(HEAD ROW("00000000", "0002", "00000000")), 0);
    assert_int_equal(road_default4(HEAD ROW("00000000", "0203", "00000000")), 0);
    assert_int_equal(
        road_default4(HEAD ROW("000011AC", "0001", "0000FFFF") ROW("00000000", "0003", "00000000")),
        1);
    assert_int_equal(road_default4("what\n"), -1);
    assert_int_equal(road_default4(HEAD "eth0\tzz\n"), -1);
    assert_int_equal(road_default6(""), 0);
    assert_int_equal(road_default6(ROW6(ZERO6, "00", "00000003", "eth0")), 1);
    assert_int_equal(road_default6(ROW6(ZERO6, "00", "00200200", "lo")), 0);
    assert_int_equal(
        road_default6(ROW6("fe800000000000000000000000000000", "40", "00000001", "eth0")), 0);
    assert_int_equal(road_default6("x\n"), -1);
}

static const char ranges[] =
    "{\"syncToken\":\"1\",\"prefixes\":["
    "{\"ip_prefix\":\"52.219.0.0/16\",\"region\":\"eu-central-1\",\"service\":\"AMAZON\"},"
    "{\"ip_prefix\":\"52.219.44.0/22\",\"region\":\"eu-central-1\",\"service\":\"S3\"},"
    "{\"ip_prefix\":\"3.5.0.0/19\",\"region\":\"us-east-1\",\"service\":\"S3\"}],"
    "\"ipv6_prefixes\":["
    "{\"ipv6_prefix\":\"2a05:d050:4000::/40\",\"region\":\"eu-central-1\",\"service\":\"S3\"}]}";

static int in(const char *doc, const char *region, const char *a, const char *b, struct error *err)
{
    struct road_address list[2] = {address(a)};

    if (b != NULL) {
        list[1] = address(b);
    }
    return road_in_ranges(doc, strlen(doc), region, list, b == NULL ? 1 : 2, err);
}

static void ranges_are_looked_through(void **state)
{
    struct error err = {.kind = ERR_NONE};

    (void)state;
    assert_int_equal(in(ranges, "eu-central-1", "52.219.47.255", NULL, &err), 1);
    assert_int_equal(in(ranges, "eu-central-1", "52.219.48.0", NULL, &err), 0);
    assert_int_equal(in(ranges, "eu-central-1", "3.5.0.1", NULL, &err), 0);
    assert_int_equal(in(ranges, "us-east-1", "3.5.31.1", NULL, &err), 1);
    assert_int_equal(in(ranges, "eu-central-1", "52.219.44.1", "2a05:d050:4000::1", &err), 1);
    assert_int_equal(in(ranges, "eu-central-1", "52.219.44.1", "2a05:d050:4100::1", &err), 0);
    REFUSES(in(ranges, "eu-west-9", "3.5.0.1", NULL, &err), ERR_CORRUPT);
    REFUSES(in("{", "eu-west-9", "3.5.0.1", NULL, &err), ERR_CORRUPT);
    REFUSES(in("{\"prefixes\":[1]}", "eu-west-9", "3.5.0.1", NULL, &err), ERR_CORRUPT);
    REFUSES(in("{\"prefixes\":[{\"ip_prefix\":\"1.2.3.4\",\"region\":\"r\",\"service\":\"S3\"}]}",
               "r", "3.5.0.1", NULL, &err),
            ERR_CORRUPT);
    REFUSES(
        in("{\"prefixes\":[{\"ip_prefix\":\"1.2.3.4/33\",\"region\":\"r\",\"service\":\"S3\"}]}",
           "r", "3.5.0.1", NULL, &err),
        ERR_CORRUPT);
}

struct said {
    char all[8192];
    int findings;
};

static void note(void *user, bool finding, const char *text, const char *advice)
{
    struct said *s = user;
    size_t n = strlen(s->all);

    assert_int_equal(finding, advice != NULL);
    assert_null(strchr(text, '\n'));
    s->findings += finding;
    (void)snprintf(s->all + n, sizeof s->all - n, "%s\n%s\n", text, advice == NULL ? "" : advice);
}

struct road_case {
    const char *host, *own_region, *vpce, *a, *b;
    int default4, in_ranges;
    bool proxy, own_endpoint;
    enum road_probe probe;
    enum road_kind kind;
    int findings;
    const char *says;
};

#define NAME "audit.s3.eu-central-1.amazonaws.com"
static const struct road_case cases[] = {
    {NAME, "", "", "52.219.44.1", NULL, 1, -1, false, false, ROAD_NOT_TRIED, ROAD_PUBLIC, 0,
     "no answer of S3 tells which"},
    {NAME, "", "", "52.219.44.1", NULL, 1, 1, false, false, ROAD_TAKEN, ROAD_PUBLIC, 0,
     "addresses of S3 in eu-central-1"},
    {NAME, "", "vpce-1", "52.219.44.1", NULL, 1, 1, false, false, ROAD_TAKEN, ROAD_GATEWAY, 0,
     "'print-policy bucket' for vpce-1"},
    {NAME, "", "vpce-1", "52.219.44.1", NULL, 1, 1, false, false, ROAD_NOT_TRIED, ROAD_PUBLIC, 0,
     ""},
    {NAME, "", "", "52.219.44.1", NULL, 0, 1, false, false, ROAD_SILENT, ROAD_PUBLIC, 1,
     "route table has the S3 prefix list"},
    {NAME, "", "", "52.219.44.1", NULL, 0, 1, false, false, ROAD_SILENT, ROAD_PUBLIC, 1,
     "no IPv4 default route"},
    {NAME, "", "", "52.219.44.1", NULL, 1, 1, false, false, ROAD_REFUSED, ROAD_PUBLIC, 1,
     "aws:SourceVpce"},
    {NAME, "", "", "52.219.44.1", NULL, 1, 0, false, false, ROAD_NOT_TRIED, ROAD_PUBLIC, 1,
     "not all of them are S3's"},
    {NAME, "us-east-1", "", "52.219.44.1", NULL, 1, 1, false, false, ROAD_NOT_TRIED, ROAD_PUBLIC, 1,
     "carries its own region only"},
    {NAME, "eu-central-1", "", "52.219.44.1", NULL, 1, 1, false, false, ROAD_NOT_TRIED, ROAD_PUBLIC,
     0, ""},
    {"audit.s3.dualstack.eu-central-1.amazonaws.com", "", "", "52.219.44.1", "2a05:d050:4000::1", 1,
     1, false, false, ROAD_NOT_TRIED, ROAD_PUBLIC, 1, "dual-stack name"},
    {"audit.s3.amazonaws.com", "", "", "52.219.44.1", NULL, 1, 1, false, false, ROAD_NOT_TRIED,
     ROAD_PUBLIC, 1, "global name"},
    {"x.vpce-1.s3.eu-central-1.vpce.amazonaws.com", "", "", "10.0.0.5", "10.0.1.5", 1, -1, false,
     false, ROAD_TAKEN, ROAD_PRIVATE, 0, "interface endpoint"},
    {NAME, "", "", "10.0.0.5", NULL, 1, -1, false, false, ROAD_SILENT, ROAD_PRIVATE, 1,
     "interface endpoint's own security group"},
    {NAME, "", "", "10.0.0.5", "52.219.44.1", 1, -1, false, false, ROAD_TAKEN, ROAD_PUBLIC, 0, ""},
    {"localhost", "", "", "127.0.0.1", "::1", 1, -1, false, true, ROAD_TAKEN, ROAD_LOCAL, 0,
     "this machine"},
    {"s3.example.net", "", "vpce-1", "192.0.2.1", NULL, 1, -1, false, true, ROAD_TAKEN, ROAD_PUBLIC,
     0, "a store of one's own"},
    {"s3.example.net", "", "", "192.0.2.1", NULL, 1, -1, false, true, ROAD_SILENT, ROAD_PUBLIC, 1,
     "firewalls"},
    {NAME, "", "", NULL, NULL, 1, -1, false, false, ROAD_NOT_TRIED, ROAD_UNKNOWN, 1,
     "has no address"},
    {NAME, "", "", "52.219.44.1", NULL, 1, -1, true, false, ROAD_TAKEN, ROAD_PROXIED, 0, "a proxy"},
};

static void facts_make_a_judgement(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct road_case *c = &cases[i];
        struct road_facts f = {.default4 = c->default4,
                               .in_ranges = c->in_ranges,
                               .proxy = c->proxy,
                               .own_endpoint = c->own_endpoint,
                               .probe = c->probe,
                               .region = "eu-central-1"};
        struct said s = {.findings = 0};
        enum road_kind kind;

        (void)snprintf(f.host, sizeof f.host, "%s", c->host);
        (void)snprintf(f.own_region, sizeof f.own_region, "%s", c->own_region);
        (void)snprintf(f.vpce, sizeof f.vpce, "%s", c->vpce);
        if (c->a != NULL) {
            f.addresses[f.n++] = address(c->a);
        }
        if (c->b != NULL) {
            f.addresses[f.n++] = address(c->b);
        }
        kind = road_judge(&f, note, &s);
        if (kind != c->kind || s.findings != c->findings || strstr(s.all, c->says) == NULL) {
            fail_msg("case %zu: %s, %d findings:\n%s", i, road_word(kind), s.findings, s.all);
        }
    }
}

static void this_machine_is_looked_at(void **state)
{
    struct error err = {.kind = ERR_NONE};
    struct road_facts f = {.host = "127.0.0.1"};

    (void)state;
    MUST(road_look(&f, "", &err));
    assert_int_equal(f.n, 1);
    assert_int_equal(road_classify(&f.addresses[0]), ROAD_LOOPBACK);
    assert_int_not_equal(f.default4, -1);
    (void)snprintf(f.host, sizeof f.host, "[::1]");
    MUST(road_look(&f, "", &err));
    assert_int_equal(f.n, 1);
    REFUSES(road_look(&f, "/nonexistent", &err), ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_classes),
        cmocka_unit_test(route_tables_tell_of_a_default),
        cmocka_unit_test(ranges_are_looked_through),
        cmocka_unit_test(facts_make_a_judgement),
        cmocka_unit_test(this_machine_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
