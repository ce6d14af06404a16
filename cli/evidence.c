/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int evidence_open(const struct cmd_common *common, struct reader **ret, struct error *err)
{
    char db[4096];

    if (cmd_db_path(common, db, sizeof db, err) != 0) {
        return -1;
    }
    if (reader_open(ret, db, err) == 0) {
        return 0;
    }
    if (err->kind == ERR_SYSTEM && err->code == ENOENT && common->db == NULL) {
        (void)err_set(err, ERR_SYSTEM, "nothing has been recorded yet");
        err->code = ENOENT;
    }
    return -1;
}

bool evidence_is_database(const char *path)
{
    static const char magic[16] = "SQLite format 3"; /* sqlite.org/fileformat2.html, 1.3.1 */
    char head[sizeof magic];
    struct stat st;
    bool result = false;
    int fd;

    /* Asked by name first: a pipe would lose what is read from it. */
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0) {
        result = read(fd, head, sizeof head) == (ssize_t)sizeof head &&
                 memcmp(head, magic, sizeof magic) == 0;
        close(fd);
    }
    return result;
}
