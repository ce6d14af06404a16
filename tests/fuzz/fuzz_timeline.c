/* SPDX-License-Identifier: Apache-2.0 */
/* A recording from anywhere, plain or gzip: events and errors come, and an end. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/io.h"
#include "replay/timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct timeline *t = NULL;
    struct timeline_event ev;
    struct error err;
    char path[64];
    size_t calls = 0;
    int rc, fd = memfd_create("recording", MFD_CLOEXEC);

    if (fd < 0 || io_write_all(fd, data, size, &err) != 0) {
        abort();
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (timeline_open_file(&t, path, &err) == 0) {
        while ((rc = timeline_next(t, &ev, &err)) != 0) {
            /* A line is no shorter than two bytes, and gzip makes at most 1,032 of one. */
            if (rc == TIMELINE_WAIT || ++calls > size * 1032 + 2) {
                abort();
            }
        }
    }
    timeline_close(t);
    (void)close(fd);
    return 0;
}
