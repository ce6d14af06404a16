/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/probe.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"

void probe_name(const char *host, int64_t now_us, char *ret, size_t size)
{
    char day[16];

    clock_format_utc(now_us, "%Y-%m-%d", day, sizeof day);
    (void)snprintf(ret, size, "packs/dt=%s/host=%s/probe", day, host);
}

bool probe_is(const char *name, uint64_t object_size)
{
    static const char head[] = "packs/dt=0000-00-00/host=";
    const char *p = name;

    for (size_t i = 0; head[i] != '\0'; i++, p++) {
        if (head[i] == '0' ? *p < '0' || *p > '9' : *p != head[i]) {
            return false;
        }
    }
    p += strcspn(p, "/");
    return object_size == PROBE_SIZE && p > name + sizeof head - 1 && strcmp(p, "/probe") == 0;
}
