/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a host: what is published comes back, damage is refused, and each user gets his. */
#include "tests/unit/check.h"

#include <pwd.h>
#include <unistd.h>

#include "common/io.h"
#include "storage/wire/policy_rules.h"

static void make(struct policy_rules *r)
{
    struct policy p;
    struct error err;

    memset(r, 0, sizeof *r);
    (void)snprintf(r->break_glass, sizeof r->break_glass, "ops,  night");
    policy_defaults(&p);
    MUST(policy_rules_add(r, "", &p, 127, &err));
    p.record = false;
    MUST(policy_rules_add(r, "ci", &p, 127, &err));
    p.record = true;
    p.on_writer_loss = POLICY_LOSS_BLOCK;
    (void)snprintf(p.shell, sizeof p.shell, "/bin/zsh");
    MUST(policy_rules_add(r, "wheel", &p, 1 | 2, &err));
}

static void what_is_published_comes_back(void **state)
{
    struct policy_rules in, out;
    struct buf b;
    struct error err;

    (void)state;
    make(&in);
    buf_init(&b, POLICY_RULES_BYTES);
    MUST(policy_rules_put(&b, &in, &err));
    MUST(policy_rules_parse(buf_data(&b), b.len, &out, &err));
    assert_int_equal(out.n, 3);
    assert_memory_equal(out.list, in.list, 3 * sizeof *in.list);
    assert_string_equal(out.break_glass, in.break_glass);
    policy_rules_clear(&out);
    /* Cut anywhere but between rules it is none. */
    for (size_t len = 0, whole = 0; len < b.len; len++) {
        if (policy_rules_parse(buf_data(&b), len, &out, &err) == 0) {
            whole++;
            policy_rules_clear(&out);
        } else {
            assert_int_equal(err.kind, ERR_CORRUPT);
            assert_null(out.list);
        }
        assert_true(whole <= 2);
    }
    buf_clear(&b);
    policy_rules_clear(&in);
}

static void damage_is_refused(void **state)
{
    static const char magic[] = "ttytrail policy 1\n";
    struct policy_rules r, out;
    struct policy p;
    struct buf b;
    struct error err;

    (void)state;
    policy_defaults(&p);
    memset(&r, 0, sizeof r);
    REFUSES(policy_rules_add(&r, "wheel", &p, 1, &err), ERR_CORRUPT); /* the host's is first */
    MUST(policy_rules_add(&r, "", &p, 1, &err));
    REFUSES(policy_rules_add(&r, "", &p, 1, &err), ERR_CORRUPT);
    REFUSES(policy_rules_add(&r, "a-group-name-of-more-than-32-bytes", &p, 1, &err), ERR_CORRUPT);
    for (unsigned i = 1; i < POLICY_RULES_MAX; i++) {
        MUST(policy_rules_add(&r, "g", &p, 1, &err));
    }
    REFUSES(policy_rules_add(&r, "g", &p, 1, &err), ERR_CORRUPT);
    policy_rules_clear(&r);
    REFUSES(policy_rules_parse((const uint8_t *)"ttytrail policy 2\n", 18, &out, &err),
            ERR_CORRUPT);
    REFUSES(policy_rules_parse((const uint8_t *)magic, 18, &out, &err), ERR_CORRUPT);
    buf_init(&b, 1000);
    MUST(buf_append(&b, magic, 18, &err));
    MUST(buf_append(&b, "\xff\xff\xff\xff", 4, &err)); /* 4 GiB */
    REFUSES(policy_rules_parse(buf_data(&b), b.len, &out, &err), ERR_CORRUPT);
    buf_reset(&b);
    MUST(buf_append(&b, magic, 18, &err));
    MUST(buf_append(&b, "\0\0\0\0", 4, &err)); /* a rule without ways */
    REFUSES(policy_rules_parse(buf_data(&b), b.len, &out, &err), ERR_CORRUPT);
    buf_clear(&b);
}

static bool in_words(void *user, const char *group)
{
    const char *at = strstr(user, group);

    return at != NULL && (at[strlen(group)] == ' ' || at[strlen(group)] == '\0');
}

static void each_user_gets_his(void **state)
{
    static const struct {
        uid_t uid;
        char groups[24];
        const char *way;
        bool record, glass;
        enum policy_loss loss;
    } rows[] = {
        {1000, "users", "login", true, false, POLICY_LOSS_END},
        {1000, "users wheel", "login", true, false, POLICY_LOSS_BLOCK},
        {1000, "wheel", "sudo", false, false, POLICY_LOSS_BLOCK},   /* a way that is left out */
        {1000, "wheel", "record", true, false, POLICY_LOSS_BLOCK},  /* a way that nobody knows */
        {1000, "wheel ci", "login", false, false, POLICY_LOSS_END}, /* the first rule alone */
        {1000, "night", "login", true, true, POLICY_LOSS_END},
        {1000, "nigh", "login", true, false, POLICY_LOSS_END},
        {0, "", "login", true, true, POLICY_LOSS_END},
    };
    struct policy_rules r;
    struct policy p;

    (void)state;
    make(&r);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        policy_rules_find(&r, rows[i].uid, policy_way(rows[i].way), in_words,
                          (void *)(uintptr_t)rows[i].groups, &p);
        print_message("%s by %s\n", rows[i].groups, rows[i].way);
        assert_int_equal(p.record, rows[i].record);
        assert_int_equal(p.break_glass, rows[i].glass);
        assert_int_equal(p.on_writer_loss, rows[i].loss);
    }
    policy_rules_clear(&r);
}

static void groups_are_those_of_nss(void **state)
{
    const struct passwd *root;
    struct policy_user u;
    struct error err;

    (void)state;
    root = getpwnam("root");
    assert_non_null(root);
    MUST(policy_user_open(&u, root->pw_uid, &err));
    assert_true(policy_user_member(&u, "root"));
    assert_false(policy_user_member(&u, "nosuchgroup"));
    policy_user_close(&u);
    MUST(policy_user_open(&u, 3999999999U, &err)); /* nobody's */
    assert_false(policy_user_member(&u, "root"));
    policy_user_close(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_published_comes_back),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(each_user_gets_his),
        cmocka_unit_test(groups_are_those_of_nss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
