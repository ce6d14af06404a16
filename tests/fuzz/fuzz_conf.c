/* SPDX-License-Identifier: Apache-2.0 */
/* Any configuration file: read or refused with a reason, every number within its bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/conf_pattern.h"
#include "common/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("conf", MFD_CLOEXEC);
    struct error err;
    struct conf c;
    char path[64];

    err_clear(&err);
    if (fd < 0 || io_write_all(fd, data, size, NULL) != 0) {
        abort();
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (conf_open(&c, path, &err) == 0) {
        if (c.commit_ms < 1 || c.commit_ms > 10000 || c.segment_kib < 1 || c.notice == NULL ||
            strlen(c.prompt_patterns) >= CONF_PATTERN_MAX) {
            abort();
        }
        conf_clear(&c);
    } else if (err.kind == ERR_NONE || err.text[0] == '\0') {
        abort();
    }
    close(fd);
    return 0;
}
