/* SPDX-License-Identifier: Apache-2.0 */
/* What sshd says of an authentication, and who may be a witness. */
#include "tests/unit/writer_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "facts/tty.h"
#include "storage/db/flags.h"
#include "storage/wire/facts.h"
#include "storage/wire/pass.h"
#include "storage/wire/witness.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

static void reads_authentications(void **state)
{
    static const struct {
        const char *text, *method, *type;
        size_t blob;
        bool good;
    } rows[] = {
        {"publickey ssh-ed25519 " KEY "\n", "publickey", "ssh-ed25519", 51, true},
        {"publickey ssh-ed25519 " KEY, "publickey", "ssh-ed25519", 51, true},
        {"publickey ssh-ed25519 " KEY "\npassword\n", "publickey", "ssh-ed25519", 51, true},
        {"password\npublickey ssh-ed25519 " KEY "\n", "publickey", "ssh-ed25519", 51, true},
        {"password\n", "password", "", 0, true},
        {"keyboard-interactive/pam\n", "keyboard-interactive/pam", "", 0, true},
        {"publickey ssh-rsa " KEY "\n", "publickey", "", 0, true},
        {"publickey ssh-ed25519 AAA*\n", "publickey", "", 0, true},
        {"publickey ssh-ed25519\n", "publickey", "", 0, true},
        {"", "", "", 0, false},
        {"\n\n \n", "", "", 0, false},
        {"\x01\x02 x\n", "", "", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct witness_auth a;

        assert_int_equal(witness_auth(rows[i].text, strlen(rows[i].text), &a), rows[i].good);
        assert_string_equal(a.method, rows[i].method);
        assert_string_equal(a.key_type, rows[i].type);
        assert_int_equal(a.blob_len, rows[i].blob);
    }
}

static void reads_addresses(void **state)
{
    struct witness_peer p;

    (void)state;
    assert_true(witness_peer("10.0.0.9 50122 10.0.0.1 22", 26, &p));
    assert_string_equal(p.address, "10.0.0.9");
    assert_string_equal(p.port, "50122");
    assert_true(witness_peer("fe80::1%eth0 1 :: 22", 20, &p));
    assert_false(witness_peer("10.0.0.9 port 10.0.0.1 22", 25, &p));
    assert_false(witness_peer("10.0.0.9", 8, &p));
    assert_false(witness_peer("", 0, &p));
    assert_string_equal(p.address, "");
}

/* ssh-keygen -l shows the same of SHA-256 of nothing. */
static void prints_fingerprints(void **state)
{
    uint8_t hash[32];
    char print[52];

    (void)state;
    chain_sha256("", 0, hash);
    witness_fingerprint(hash, print);
    assert_string_equal(print, "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
}

static int witness(struct rig *g, const char *type, pid_t pid, uint64_t start, const char *more)
{
    char boot[33];
    struct buf body;
    struct error err;
    struct raw r;
    int said;

    clock_boot_id(boot);
    buf_init(&body, FRAME_MAX_BODY);
    MUST(buf_append(&body, "\0\0\0\1", 4, &err));
    MUST(facts_put_text(&body, "pam_type", type, &err));
    MUST(facts_put_text(&body, "boot", boot, &err));
    MUST(facts_put_int(&body, "monitor", pid, &err));
    MUST(facts_put_int(&body, "monitor_began", (int64_t)start, &err));
    MUST(facts_put_text(&body, "ssh_auth_info", "publickey ssh-ed25519 " KEY, &err));
    if (more != NULL) {
        MUST(facts_put_text(&body, more, "SHA256:forged", &err));
    }
    raw_open(&r, g->sock);
    raw_send(&r, FRAME_WITNESS, 0, buf_data(&body), body.len);
    said = raw_next(&r);
    raw_close(&r);
    buf_clear(&body);
    return said;
}

static int count(void *user, const struct connection_row *c)
{
    int *n = user;

    n[0]++;
    n[1] += (int)c->sessions;
    n[2] += c->closed_us != 0;
    return 0;
}

static void counts(const struct rig *g, int connections, int sessions, int closed)
{
    struct reader *r = NULL;
    struct error err;
    int n[3] = {0, 0, 0};

    MUST(reader_open(&r, g->db, &err));
    MUST(reader_connections(r, false, count, n, &err));
    reader_close(r);
    assert_int_equal(n[0], connections);
    assert_int_equal(n[1], sessions);
    assert_int_equal(n[2], closed);
}

static void links_by_ancestor(void **state)
{
    struct rig *g = *state;
    const uint8_t *value;
    struct session_row row;
    struct facts f;
    struct buf text;
    struct raw r;
    size_t len;

    if (geteuid() != 0) {
        assert_int_equal(witness(g, "open_session", getppid(), 1, NULL), FRAME_REFUSED);
        return;
    }
    /* A process of another start is another one, and its facts are its own to name. */
    assert_int_equal(witness(g, "open_session", getppid(), 1, NULL), FRAME_WITNESSED);
    assert_int_equal(witness(g, "open_session", getppid(), clock_process_start(getppid()), "key"),
                     FRAME_REFUSED);
    raw_open(&r, g->sock);
    raw_begin(&r, "alone", NULL);
    raw_close(&r);
    counts(g, 1, 0, 0);
    assert_int_equal(witness(g, "open_session", getppid(), clock_process_start(getppid()), NULL),
                     FRAME_WITNESSED);
    raw_open(&r, g->sock);
    raw_begin(&r, "linked", NULL);
    counts(g, 2, 1, 0);
    session_row_init(&row);
    buf_init(&text, SEGMENT_MAX_TEXT);
    rig_read(g, "title:linked", &row, &text);
    f = (struct facts){.bytes = buf_data(&row.facts), .len = row.facts.len};
    assert_true(facts_get(&f, "conn.key", &value, &len));
    assert_int_equal(len, 50);
    assert_true(facts_get(&f, "conn.source", &value, &len));
    raw_close(&r);
    assert_int_equal(witness(g, "close_session", getppid(), clock_process_start(getppid()), NULL),
                     FRAME_WITNESSED);
    counts(g, 2, 1, 1);
    session_row_clear(&row);
    buf_clear(&text);
}

static void recorders_are_no_witnesses(void **state)
{
    struct rig *g = *state;
    struct buf body;
    struct error err;
    struct raw r;

    buf_init(&body, FRAME_MAX_BODY);
    MUST(buf_append(&body, "\0\0\0\1", 4, &err));
    MUST(facts_put_text(&body, "kind", "tty", &err));
    MUST(facts_put_text(&body, "conn.key", "SHA256:forged", &err));
    raw_open(&r, g->sock);
    raw_send(&r, FRAME_OPEN, 0, buf_data(&body), body.len);
    assert_int_equal(raw_next(&r), FRAME_REFUSED);
    raw_close(&r);
    buf_clear(&body);
}

/* Nobody there to hang the terminal up: the session opens all the same, and says so. */
static void without_facts_a_passed_terminal_is_flagged(void **state)
{
    struct rig *g = *state;
    struct session_row row;
    struct buf body, out, text;
    struct error err;
    struct raw r;
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    buf_init(&body, FRAME_MAX_BODY);
    buf_init(&out, FRAME_MAX_BODY);
    MUST(buf_append(&body, "\0\0\0\1", 4, &err));
    MUST(facts_put_text(&body, "kind", "tty", &err));
    MUST(facts_put_text(&body, "title", "shared", &err));
    MUST(frame_put(&out, FRAME_OPEN, 0, buf_data(&body), body.len, &err));
    raw_open(&r, g->sock);
    assert_int_equal(pass_send(r.fd, buf_data(&out), out.len, master), (ssize_t)out.len);
    assert_int_equal(raw_next(&r), FRAME_OPENED);
    session_row_init(&row);
    buf_init(&text, SEGMENT_MAX_TEXT);
    rig_read(g, "title:shared", &row, &text);
    assert_string_equal(row.flags, "outer-tty-shared");
    session_row_clear(&row);
    buf_clear(&text);
    raw_close(&r);
    close(master);
    buf_clear(&body);
    buf_clear(&out);
}

/* An older descriptor gets EIO, and the terminal goes on. */
static void hangs_a_terminal_up(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), old, fresh;
    struct error err;
    struct stat st;
    char name[64], got[8] = "";
    struct pollfd p = {.fd = master, .events = POLLIN};

    (void)state;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    assert_int_equal(ptsname_r(master, name, sizeof name), 0);
    old = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(old >= 0 && fstat(old, &st) == 0);
    assert_int_equal(tty_hang_up(old, st.st_uid + 1, &err), -1);
    assert_int_equal(err.kind, ERR_DENIED);
    assert_int_equal(tty_hang_up(master, st.st_uid, &err), -1);
    assert_int_equal(tty_hang_up(-1, st.st_uid, &err), -1);
    if (geteuid() == 0) {
        fresh = tty_hang_up(old, st.st_uid, &err);
        assert_true(fresh >= 0);
        assert_int_equal(write(old, "x", 1), -1);
        assert_int_equal(errno, EIO);
        assert_int_equal(write(fresh, "on", 2), 2);
        assert_int_equal(poll(&p, 1, RIG_WAIT_MS), 1);
        assert_int_equal(read(master, got, sizeof got), 2);
        assert_string_equal(got, "on");
        close(fresh);
    }
    close(old);
    close(master);
}

static void flags_have_a_meaning(void **state)
{
    (void)state;
    assert_non_null(flags_meaning("outer-tty-shared"));
    assert_null(flags_meaning("outer"));
    for (size_t i = 1; i < sizeof flag_words / sizeof flag_words[0]; i++) {
        assert_true(strcmp(flag_words[i - 1].word, flag_words[i].word) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_authentications),
        cmocka_unit_test(reads_addresses),
        cmocka_unit_test(prints_fingerprints),
        cmocka_unit_test(hangs_a_terminal_up),
        cmocka_unit_test(flags_have_a_meaning),
        cmocka_unit_test_setup_teardown(links_by_ancestor, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(recorders_are_no_witnesses, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(without_facts_a_passed_terminal_is_flagged, rig_setup,
                                        rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
