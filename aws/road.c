/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/road.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RTF_UP     0x1U
#define RTF_REJECT 0x200U

struct block {
    int family;
    uint8_t bytes[16];
    unsigned bits;
    enum road_class class;
};

/* Source: RFC 1918, 6598, 3927, 4193, 4291. */
static const struct block blocks[] = {
    {AF_INET, {127}, 8, ROAD_LOOPBACK},
    {AF_INET, {10}, 8, ROAD_INSIDE},
    {AF_INET, {172, 16}, 12, ROAD_INSIDE},
    {AF_INET, {192, 168}, 16, ROAD_INSIDE},
    {AF_INET, {100, 64}, 10, ROAD_INSIDE},
    {AF_INET, {169, 254}, 16, ROAD_INSIDE},
    {AF_INET6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, ROAD_LOOPBACK},
    {AF_INET6, {0xfc}, 7, ROAD_INSIDE},
    {AF_INET6, {0xfe, 0x80}, 10, ROAD_INSIDE},
};

static bool in_block(const struct road_address *a, int family, const uint8_t *bytes, unsigned bits)
{
    if (a->family != family || bits > (family == AF_INET ? 32U : 128U)) {
        return false;
    }
    return memcmp(a->bytes, bytes, bits / 8) == 0 &&
           (bits % 8 == 0 || (a->bytes[bits / 8] ^ bytes[bits / 8]) >> (8 - bits % 8) == 0);
}

enum road_class road_classify(const struct road_address *a)
{
    static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct road_address v4 = {.family = AF_INET};

    if (in_block(a, AF_INET6, mapped, 96)) {
        memcpy(v4.bytes, a->bytes + 12, 4);
        a = &v4;
    }
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (in_block(a, blocks[i].family, blocks[i].bytes, blocks[i].bits)) {
            return blocks[i].class;
        }
    }
    return ROAD_OUTSIDE;
}

static const char *next_line(const char *p)
{
    p += strcspn(p, "\n");
    return *p == '\n' ? p + 1 : p;
}

int road_default4(const char *text)
{
    if (*text != '\0' && strncmp(text, "Iface", 5) != 0) {
        return -1;
    }
    for (const char *p = next_line(text); *p != '\0'; p = next_line(p)) {
        unsigned destination, flags, mask;

        if (sscanf(p, "%*15s %8x %*8x %4x %*d %*d %*d %8x", &destination, &flags, &mask) != 3) {
            return -1;
        }
        if (destination == 0 && mask == 0 && (flags & (RTF_UP | RTF_REJECT)) == RTF_UP) {
            return 1;
        }
    }
    return 0;
}

int road_default6(const char *text)
{
    for (const char *p = text; *p != '\0'; p = next_line(p)) {
        char destination[33], device[33];
        unsigned bits, flags;

        if (sscanf(p, "%32[0-9a-f] %2x %*32s %*2s %*32s %*8s %*8s %*8s %8x %32s", destination,
                   &bits, &flags, device) != 4) {
            return -1;
        }
        if (bits == 0 && strspn(destination, "0") == 32 && strcmp(device, "lo") != 0 &&
            (flags & (RTF_UP | RTF_REJECT)) == RTF_UP) {
            return 1;
        }
    }
    return 0;
}

const char *road_word(enum road_kind kind)
{
    static const char *const words[] = {
        [ROAD_UNKNOWN] = "unknown", [ROAD_LOCAL] = "local",     [ROAD_PROXIED] = "proxy",
        [ROAD_PRIVATE] = "private", [ROAD_GATEWAY] = "gateway", [ROAD_PUBLIC] = "public",
    };

    return words[kind];
}
