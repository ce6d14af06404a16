/* SPDX-License-Identifier: Apache-2.0 */
/* Where sshd may take keys from, and whether a key stands there. */
#include "check.h"

#include <string.h>

#include "facts/standing.h"

static void knows_usual_settings(void **state)
{
    static const struct {
        const char *text;
        bool usual;
    } rows[] = {
        {"", true},
        {"Port 22\n#AuthorizedKeysFile /elsewhere\nUsePAM yes\n", true},
        {"AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2\n", true},
        {"  authorizedkeysfile=%h/.ssh/authorized_keys\r\n", true},
        {"AuthorizedKeysFile \"/etc/keys/%u\"\n", false},
        {"Match User x\n  AuthorizedKeysFile .ssh/authorized_keys /etc/keys/%u\n", false},
        {"AuthorizedKeysCommand none\n", true},
        {"AuthorizedKeysCommand /usr/share/ec2-instance-connect/eic_run_authorized_keys %u %f\n",
         true},
        {"AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys\n", false},
        {"AuthorizedKeysCommandUser nobody\n", true},
        {"Include /etc/ssh/sshd_config.d/*.conf\n", true},
        {"Include /etc/elsewhere.conf\n", false},
        {"AuthorizedKeysFile", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (standing_settings(rows[i].text, strlen(rows[i].text)) != rows[i].usual) {
            fail_msg("%s", rows[i].text);
        }
    }
}

static void knows_usual_listeners(void **state)
{
    static const struct {
        const char *args;
        bool usual;
    } rows[] = {
        {"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", true},
        {"sshd: /usr/sbin/sshd -D -o "
         "AuthorizedKeysCommand=/usr/share/ec2-instance-connect/eic_run_authorized_keys %u %f "
         "-o AuthorizedKeysCommandUser=ec2-instance-connect [listener]",
         true},
        {"/usr/sbin/sshd -D -f /tmp/config", false},
        {"/usr/sbin/sshd -D -oAuthorizedKeysFile=/tmp/keys", false},
        {"/usr/sbin/sshd -D -o AuthorizedKeysFile /tmp/keys", false},
        {"/usr/sbin/sshd -D -o AuthorizedKeysCommand=/tmp/x", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (standing_listener(rows[i].args, strlen(rows[i].args)) != rows[i].usual) {
            fail_msg("%s", rows[i].args);
        }
    }
}

static void finds_whole_keys(void **state)
{
    static const char text[] =
        "# AAAB comment\nrestrict,command=\"x y\" ssh-ed25519 AAAA me\nssh-rsa AAACC\n";

    (void)state;
    assert_true(standing_file(text, strlen(text), "AAAA"));
    assert_true(standing_file(text, strlen(text), "AAACC"));
    assert_true(standing_file(text, strlen(text), "AAAB")); /* a comment: rather once too often */
    assert_false(standing_file(text, strlen(text), "AAAC"));
    assert_false(standing_file(text, strlen(text), "AAAD"));
    assert_false(standing_file(text, strlen(text), ""));
    assert_false(standing_file("", 0, "AAAA"));
}

static void doubts_are_unknown(void **state)
{
    (void)state;
    assert_string_equal(standing_word("root", "password\n", 1), "unknown");
    assert_string_equal(standing_word("no-such-user", "publickey ssh-ed25519 AAAA\n", 1),
                        "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_usual_settings),
        cmocka_unit_test(knows_usual_listeners),
        cmocka_unit_test(finds_whole_keys),
        cmocka_unit_test(doubts_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
