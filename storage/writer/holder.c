/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/writer/holder.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/log.h"

#define FILES   3
#define HOLDERS 8
#define NAME    32

static void name_of(long pid, char *ret, size_t size)
{
    char path[64], raw[NAME] = "";
    FILE *in;

    (void)snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    in = fopen(path, "re");
    if (in != NULL) {
        if (fgets(raw, sizeof raw, in) == NULL) {
            raw[0] = '\0';
        }
        (void)fclose(in);
    }
    raw[strcspn(raw, "\n")] = '\0';
    (void)log_escape(raw, strlen(raw), ret, size); /* its own choice, with whatever in it */
}

static bool is_one(const struct stat files[FILES], unsigned maj, unsigned min, unsigned long ino)
{
    for (int i = 0; i < FILES; i++) {
        if (files[i].st_ino == ino && ino != 0 && major(files[i].st_dev) == maj &&
            minor(files[i].st_dev) == min) {
            return true;
        }
    }
    return false;
}

/* A line of proc_locks(5): "1: POSIX  ADVISORY  WRITE 123 08:01:4567 120 120". */
static long other_holder(const char *line, const struct stat files[FILES])
{
    unsigned maj, min;
    unsigned long ino;
    long pid;

    return sscanf(line, "%*d: %*31s %*31s %*31s %ld %x:%x:%lu", &pid, &maj, &min, &ino) == 4 &&
                   pid > 0 && pid != (long)getpid() && is_one(files, maj, min, ino)
               ? pid
               : 0;
}

char *holder_text(const char *db, char *ret, size_t size)
{
    static const char *const ends[FILES] = {"", "-wal", "-shm"};
    char line[256], path[4200], name[4 * NAME + 1];
    struct stat files[FILES];
    long known[HOLDERS];
    int n = 0;
    size_t len = 0;
    FILE *in = fopen("/proc/locks", "re");

    ret[0] = '\0';
    memset(files, 0, sizeof files);
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof path, "%.4096s%s", db, ends[i]);
        (void)stat(path, &files[i]);
    }
    while (in != NULL && n < HOLDERS && fgets(line, sizeof line, in) != NULL) {
        long pid = other_holder(line, files);
        bool again = pid == 0;

        for (int i = 0; i < n; i++) {
            again = again || known[i] == pid;
        }
        if (again || len >= size) {
            continue;
        }
        known[n++] = pid;
        name_of(pid, name, sizeof name);
        len += (size_t)snprintf(ret + len, size - len, "%s%ld %s", len > 0 ? ", " : "", pid, name);
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return ret;
}
