/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a lock on a database's files. */
#include "tests/unit/check.h"
#include "tests/unit/tempdir.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "storage/writer/holder.h"

static int locked(const char *path, off_t at)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETLK, &l), 0);
    return fd;
}

static void names_others_alone(void **state)
{
    char dir[64], db[80], shm[90], held[512], want[64];
    int ready[2], fd;
    pid_t child;

    (void)state;
    assert_int_equal(tempdir_make(dir, sizeof dir), 0);
    (void)snprintf(db, sizeof db, "%s/e.db", dir);
    (void)snprintf(shm, sizeof shm, "%s-shm", db);
    fd = locked(db, 0);
    assert_string_equal(holder_text(db, held, sizeof held), "");
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        char byte = 'x';

        (void)locked(shm, 120);
        (void)!write(ready[1], &byte, 1);
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(ready[0], want, 1), 1);
    (void)holder_text(db, held, sizeof held);
    (void)snprintf(want, sizeof want, "%ld test_holder", (long)child);
    assert_string_equal(held, want);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_string_equal(holder_text(db, held, sizeof held), "");
    assert_string_equal(holder_text("/nowhere/e.db", held, sizeof held), "");
    close(fd);
    assert_int_equal(tempdir_drop(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_others_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
