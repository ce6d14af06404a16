/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "aws/road.h"
#include "common/json.h"

struct search {
    struct json *json;
    const char *region;
    int family;
    const struct road_address *a;
    size_t n, blocks;
    bool found[ROAD_ADDRESSES];
    struct error *err;
};

static int text_at(struct search *s, const struct json_item *item, const char *path, char *ret,
                   size_t size)
{
    struct buf b;
    int rc;

    buf_init(&b, size - 1);
    rc = json_text(s->json, item->value, item->value_len, path, &b, s->err);
    if (rc == 1) {
        memcpy(ret, buf_data(&b), b.len);
    }
    ret[rc == 1 ? b.len : 0] = '\0';
    buf_clear(&b);
    return rc < 0 ? -1 : 0;
}

static bool inside(const struct road_address *a, const uint8_t *bytes, unsigned bits)
{
    return memcmp(a->bytes, bytes, bits / 8) == 0 &&
           (bits % 8 == 0 || (a->bytes[bits / 8] ^ bytes[bits / 8]) >> (8 - bits % 8) == 0);
}

static int take_block(struct search *s, char *block)
{
    char *slash = strchr(block, '/'), *end = NULL;
    uint8_t bytes[16];
    unsigned long bits;

    if (slash == NULL) {
        return err_set(s->err, ERR_CORRUPT, "a block of addresses without its length");
    }
    *slash = '\0';
    bits = strtoul(slash + 1, &end, 10);
    if (end == slash + 1 || *end != '\0' || bits > (s->family == AF_INET ? 32U : 128U) ||
        inet_pton(s->family, block, bytes) != 1) {
        return err_set(s->err, ERR_CORRUPT, "a block that is none");
    }
    s->blocks++;
    for (size_t i = 0; i < s->n; i++) {
        s->found[i] |= s->a[i].family == s->family && inside(&s->a[i], bytes, (unsigned)bits);
    }
    return 0;
}

static int on_prefix(void *user, const struct json_item *item)
{
    struct search *s = user;
    char service[32], region[64], block[64];

    if (strcmp(item->type, "object") != 0) {
        return err_set(s->err, ERR_CORRUPT, "a block that is no object");
    }
    if (text_at(s, item, "$.service", service, sizeof service) != 0 ||
        text_at(s, item, "$.region", region, sizeof region) != 0) {
        return -1;
    }
    if (strcmp(service, "S3") != 0 || strcmp(region, s->region) != 0) {
        return 0;
    }
    return text_at(s, item, s->family == AF_INET ? "$.ip_prefix" : "$.ipv6_prefix", block,
                   sizeof block) != 0
               ? -1
               : take_block(s, block);
}

int road_in_ranges(const char *doc, size_t len, const char *region, const struct road_address *a,
                   size_t n, struct error *err)
{
    struct search s = {.region = region, .a = a, .n = n, .err = err, .family = AF_INET};
    int rc = -1;

    if (n == 0 || n > ROAD_ADDRESSES) {
        return err_set(err, ERR_USAGE, "no addresses to look for");
    }
    if (json_open(&s.json, err) != 0) {
        return -1;
    }
    if (json_each(s.json, doc, len, "$.prefixes", on_prefix, &s, err) != 0) {
        goto out;
    }
    s.family = AF_INET6;
    if (json_each(s.json, doc, len, "$.ipv6_prefixes", on_prefix, &s, err) != 0) {
        goto out;
    }
    if (s.blocks == 0) {
        (void)err_set(err, ERR_CORRUPT, "no addresses of S3 in %.40s", region);
        goto out;
    }
    rc = 1;
    for (size_t i = 0; i < n; i++) {
        rc = rc == 1 && s.found[i];
    }
out:
    json_close(s.json);
    return rc;
}
