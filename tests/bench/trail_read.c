/* SPDX-License-Identifier: Apache-2.0 */
/* trail_read DIR DB HOST...: read a directory of log files into a new trail.db, and say how it
 * went: for tests/bench/trail.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "trail/source.h"

static void warn(void *user, const char *line)
{
    (void)user;
    (void)fprintf(stderr, "%s\n", line);
}

/* ru_maxrss would count what the program that started us had. */
static long peak_kib(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long ret = 0;

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            ret = strtol(line + 6, NULL, 10);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return ret;
}

int main(int argc, char **argv)
{
    struct trail_source s = {.warn = warn};
    struct trail_read_stats stats;
    struct trail_store *store = NULL;
    struct error err;
    struct rusage use;
    uint64_t from = clock_boot_us();

    if (argc < 3) {
        return 64;
    }
    s.hosts = (const char *const *)argv + 3;
    s.n_hosts = (size_t)argc - 3;
    if (depot_file_open(&s.depot, argv[1], &err) != 0 ||
        trail_store_open(&store, argv[2], &err) != 0 || trail_read(&s, store, &stats, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    (void)getrusage(RUSAGE_SELF, &use);
    printf("{\"seconds\":%.3f,\"cpu\":%.3f,\"files\":%llu,\"failed\":%llu,\"bytes\":%llu,"
           "\"records\":%llu,\"kept\":%llu,\"rss_kib\":%ld}\n",
           (double)(clock_boot_us() - from) / 1e6,
           (double)use.ru_utime.tv_sec + (double)use.ru_utime.tv_usec / 1e6 +
               (double)use.ru_stime.tv_sec + (double)use.ru_stime.tv_usec / 1e6,
           (unsigned long long)stats.read, (unsigned long long)stats.failed,
           (unsigned long long)stats.bytes, (unsigned long long)stats.records,
           (unsigned long long)stats.kept, peak_kib());
    trail_store_close(store);
    depot_close(s.depot);
    return 0;
}
