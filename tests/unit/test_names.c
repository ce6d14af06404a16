/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of users that hangs: this program's own NSS, of three users, one of which nobody is
 * told about until the gate opens. */
#include "tests/unit/writer_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "storage/writer/names.h"

#define HANGS 4242 /* a uid */
#define KNOWN 4243
#define GROUP 4300

static int gate[2]; /* open when a byte is in it */

static void wait_at_gate(void)
{
    struct pollfd p = {.fd = gate[0], .events = POLLIN};

    while (poll(&p, 1, -1) < 1) {
    }
}

int getpwuid_r(uid_t uid, struct passwd *ret, char *text, size_t size, struct passwd **found)
{
    *found = NULL;
    if (uid == HANGS) {
        wait_at_gate();
    }
    if (uid != HANGS && uid != KNOWN && uid != 0) {
        return 0;
    }
    (void)snprintf(text, size, "%s", uid == HANGS ? "slow" : uid == KNOWN ? "quick" : "root");
    *ret = (struct passwd){.pw_name = text, .pw_uid = uid, .pw_gid = GROUP};
    *found = ret;
    return 0;
}

int getgrouplist(const char *user, gid_t gid, gid_t *groups, int *n)
{
    (void)user;
    groups[0] = gid;
    *n = 1;
    return 1;
}

int getgrnam_r(const char *name, struct group *ret, char *text, size_t size, struct group **found)
{
    *found = NULL;
    if (strcmp(name, "admins") == 0) {
        (void)snprintf(text, size, "%s", name);
        *ret = (struct group){.gr_name = text, .gr_gid = GROUP};
        *found = ret;
    }
    return 0;
}

static void shut(void)
{
    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
}

static void open_gate(void)
{
    assert_int_equal(write(gate[1], "x", 1), 1);
}

static bool becomes_ready(struct names *n, uid_t uid)
{
    uint64_t end = clock_boot_us() + RIG_WAIT_MS * UINT64_C(1000);

    while (!names_ready(n, uid) && clock_boot_us() < end) {
        (void)poll(NULL, 0, 1);
    }
    return clock_boot_us() < end;
}

static void knows_names_and_groups(void **state)
{
    struct names *n = NULL;
    struct error err;
    char name[64];

    (void)state;
    shut();
    MUST(names_open(&n, -1, &err));
    MUST(names_groups(n, "admins others", &err));
    assert_true(names_ready(n, KNOWN));
    assert_string_equal(names_user(n, KNOWN, name, sizeof name), "quick");
    assert_true(names_member(n, KNOWN, "admins"));
    assert_false(names_member(n, KNOWN, "others"));
    assert_false(names_member(n, KNOWN, "admin"));
    assert_true(names_ready(n, 77));
    assert_string_equal(names_user(n, 77, name, sizeof name), "77");
    assert_false(names_member(n, 77, "admins"));
    MUST(names_groups(n, "others", &err));
    assert_true(names_ready(n, KNOWN));
    assert_false(names_member(n, KNOWN, "admins"));
    names_close(n);
}

/* Who hangs gets a number; who was known stays known; and the answer comes late. */
static void waits_no_longer_than_it_says(void **state)
{
    int done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct names *n = NULL;
    struct error err;
    char name[64];
    uint64_t began;

    (void)state;
    shut();
    MUST(names_open(&n, done, &err));
    MUST(names_groups(n, "admins", &err));
    assert_true(becomes_ready(n, KNOWN));
    began = clock_boot_us();
    assert_false(names_ready(n, HANGS));
    assert_true(names_ready(n, KNOWN));
    assert_true(becomes_ready(n, HANGS));
    assert_true(clock_boot_us() - began >= NAMES_WAIT_US);
    assert_string_equal(names_user(n, HANGS, name, sizeof name), "4242");
    assert_false(names_member(n, HANGS, "admins"));
    open_gate();
    while (strcmp(names_user(n, HANGS, name, sizeof name), "slow") != 0) {
        assert_true(names_ready(n, HANGS));
        assert_true(clock_boot_us() - began < RIG_WAIT_MS * UINT64_C(1000));
        (void)poll(NULL, 0, 1);
    }
    assert_true(names_member(n, HANGS, "admins"));
    names_close(n);
    close(done);
}

static void leaves_what_hangs(void **state)
{
    int done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct names *n = NULL;
    struct error err;

    (void)state;
    shut();
    MUST(names_open(&n, done, &err));
    assert_false(names_ready(n, HANGS));
    names_close(n);
    open_gate(); /* its thread ends and frees what it was left */
    close(done);
}

/* Root's sessions go on while another user's opening waits for NSS; then that one opens too. */
static void holds_nobody_up(void **state)
{
    struct rig *g;
    struct raw a, b, slow;
    struct pollfd p;
    struct buf body;
    struct error err;
    pid_t child;
    int status = 0;

    shut();
    assert_int_equal(rig_setup(state), 0);
    g = *state;
    raw_open(&a, g->sock);
    raw_begin(&a, "before", NULL);
    assert_int_equal(chmod(g->dir, 0755), 0);
    assert_int_equal(chmod(g->sock, 0666), 0);
    child = fork();
    if (child == 0) {
        if (setresuid(HANGS, HANGS, HANGS) != 0) {
            _exit(9);
        }
        raw_open(&slow, g->sock);
        buf_init(&body, FRAME_MAX_BODY);
        MUST(buf_append(&body, "\0\0\0\1", 4, &err));
        MUST(facts_put_text(&body, "kind", "tty", &err));
        raw_send(&slow, FRAME_OPEN, 0, buf_data(&body), body.len);
        p = (struct pollfd){.fd = slow.fd, .events = POLLIN};
        if (poll(&p, 1, 300) != 0) {
            _exit(8); /* it was not to be answered yet */
        }
        _exit(raw_next(&slow) == FRAME_OPENED ? 0 : 7);
    }
    for (uint64_t i = 1; i <= 50; i++) {
        raw_event(&a, 'o', i, i * 1000, "x");
        assert_int_equal(raw_next(&a), FRAME_ACK);
    }
    raw_open(&b, g->sock);
    raw_begin(&b, "meanwhile", NULL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    open_gate();
    raw_close(&a);
    raw_close(&b);
    assert_int_equal(rig_teardown(state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_nobody_up), /* forks: before there are threads */
        cmocka_unit_test(knows_names_and_groups),
        cmocka_unit_test(waits_no_longer_than_it_says),
        cmocka_unit_test(leaves_what_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
