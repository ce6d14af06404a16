/* SPDX-License-Identifier: Apache-2.0 */
/* By which way a session came in, and what a forced command stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/way.h"

#define SFTP "/usr/lib/openssh/sftp-server"

static void the_rule(void **state)
{
    static const struct {
        const char *ancestor, *command, *want;
        bool console;
    } rows[] = {
        {"sshd", NULL, "login", false},
        {"sshd", "ls -l", "command", false},
        {"sshd", SFTP, "subsystem", false},
        {"sshd", SFTP " -l INFO", "subsystem", false},
        {"sshd", SFTP " -f AUTHPRIV -u 022 -P symlink,remove -d /srv/%u", "subsystem", false},
        {"sshd", SFTP "x", "command", false},
        {"sshd", SFTP " -h; bash -i", "command", false},
        {"sshd", SFTP " -h\nbash -i", "command", false},
        {"sshd", SFTP " -h || bash -i", "command", false},
        {"sshd", SFTP " `id`", "command", false},
        {"sshd", SFTP " $(bash)", "command", false},
        {"sshd", SFTP " <(bash)", "command", false},
        {"sshd", "echo " SFTP, "command", false},
        {"sshd", "", "command", false},
        {"su", NULL, "su", false},
        {"su", SFTP, "su", false},
        {"sudo", "id", "sudo", false},
        {"ssm", NULL, "ssm", false},
        {"console", NULL, "console", true},
        {"", NULL, "console", true},
        {"", NULL, "login", false},
        {"", "id", "command", false},
        {"", SFTP, "command", false},
        /* A root process above us weighs more than the terminal's kind. */
        {"su", NULL, "su", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(way_of(rows[i].ancestor, rows[i].console, rows[i].command),
                            rows[i].want);
    }
}

static void a_forced_command(void **state)
{
    char own[4096];
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    const char *what = NULL;

    (void)state;
    assert_true(n > 0);
    own[n] = '\0';
    assert_false(way_forced("/bin/sh", "id", &what));
    assert_false(way_forced("id", "id", &what));
    assert_false(way_forced("", "id", &what));
    assert_true(way_forced(own, "id -u", &what));
    assert_string_equal(what, "id -u");
    assert_true(way_forced(own, NULL, &what));
    assert_string_equal(what, "");
    assert_true(way_forced(own, "", &what));
    assert_string_equal(what, "");
    assert_true(way_forced(own, "internal-sftp -R", &what));
    assert_string_equal(what, "internal-sftp -R");
    if (access(SFTP, X_OK) == 0) {
        assert_true(way_forced(own, "internal-sftp", &what));
        assert_string_equal(what, SFTP);
    } else {
        print_message("*** NOT TESTED: internal-sftp, there is no %s\n", SFTP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule),
        cmocka_unit_test(a_forced_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
