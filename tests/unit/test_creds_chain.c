/* SPDX-License-Identifier: Apache-2.0 */
/* Files of profiles, and what a profile says: parsing, merging, chains of roles, where the files
 * lie. */
#include "tests/unit/creds_data.h"

#include <limits.h>

#include "aws/creds_chain.h"
#include "aws/creds_files.h"
#include "aws/creds_source.h"

/* What the files say, as the cases have it: {"profiles":{...},"sso_sessions":{...}}, compared
 * member by member. */
struct compared {
    const struct creds_files *files;
    const struct creds_section *section;
    enum creds_ini_kind kind;
    size_t count;
};

static int compare_setting(void *user, const struct json_item *item)
{
    struct compared *c = user;

    assert_string_equal(creds_files_get(c->section, item->key), item->value);
    c->count++;
    return 0;
}

static int compare_section(void *user, const struct json_item *item)
{
    struct compared *c = user, inner = *c;

    inner.section = creds_files_find(c->files, c->kind, item->key);
    if (inner.section == NULL) {
        fail_msg("no section %s", item->key);
    }
    inner.count = 0;
    data_each(item->value, "$", compare_setting, &inner);
    assert_int_equal(inner.count, inner.section->count);
    c->count++;
    return 0;
}

static size_t sections(const struct creds_files *f, enum creds_ini_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < f->count; i++) {
        n += f->sections[i].kind == kind;
    }
    return n;
}

static void compare(const struct creds_files *f, const char *test, enum creds_ini_kind kind,
                    const char *path)
{
    struct compared c = {.files = f, .kind = kind};

    data_each(test, path, compare_section, &c);
    if (c.count != 0 || kind == CREDS_INI_PROFILE) {
        assert_int_equal(c.count, sections(f, kind));
    }
}

static int parser_case(void *user, const struct json_item *item)
{
    const char *test = item->value;
    char *name = data_at(test, "$.name"), *config = data_at(test, "$.input.configFile");
    char *credentials = data_at(test, "$.input.credentialsFile");
    char *refused = data_at(test, "$.output.errorContaining");
    struct creds_files f = {.count = 0};
    struct error err = {0};
    int rc;

    print_message("parser: %s\n", name);
    rc = creds_files_add(&f, config, strlen(config), true, &err);
    if (rc == 0) {
        rc = creds_files_add(&f, credentials, strlen(credentials), false, &err);
    }
    assert_int_equal(rc, *refused == '\0' ? 0 : -1);
    if (rc == 0) {
        compare(&f, test, CREDS_INI_PROFILE, "$.output.config.profiles");
        compare(&f, test, CREDS_INI_SSO_SESSION, "$.output.config.sso_sessions");
    } else {
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(strstr(err.text, "value")); /* nothing is quoted */
    }
    creds_files_clear(&f);
    free(name);
    free(config);
    free(credentials);
    free(refused);
    ++*(unsigned *)user;
    return 0;
}

/* {"name":{"setting":"value"}} as a file. */
struct writing {
    struct buf *out;
    const char *prefix;
};

static int write_setting(void *user, const struct json_item *item)
{
    return buf_printf(user, NULL, "%s = %s\n", item->key, item->value);
}

static int write_section(void *user, const struct json_item *item)
{
    struct writing *w = user;

    assert_int_equal(buf_printf(w->out, NULL, "[%s %s]\n", w->prefix, item->key), 0);
    data_each(item->value, "$", write_setting, w->out);
    return 0;
}

static const char *base_name(enum creds_base base)
{
    static const char *const names[] = {
        [CREDS_BASE_KEYS] = "AccessKey",
        [CREDS_BASE_ENVIRONMENT] = "NamedSource",
        [CREDS_BASE_CONTAINER] = "NamedSource",
        [CREDS_BASE_IMDS] = "NamedSource",
        [CREDS_BASE_WEB_IDENTITY] = "WebIdentityToken",
        [CREDS_BASE_SSO] = "Sso",
        [CREDS_BASE_PROCESS] = "CredentialProcess",
    };

    return names[base];
}

struct step {
    const struct creds_chain *chain;
    size_t at; /* 0: the base */
};

/* The SDKs' names of settings, to those in the files. */
static int compare_step_setting(void *user, const struct json_item *item)
{
    static const char *const keys[][2] = {{"access_key_id", "aws_access_key_id"},
                                          {"secret_access_key", "aws_secret_access_key"},
                                          {"account_id", "aws_account_id"}};
    struct step *s = user;
    const struct creds_chain *c = s->chain;
    const struct creds_section *from = s->at == 0 ? c->profile : c->roles[s->at - 1];
    const char *name = item->key;

    for (size_t i = 0; i < 3; i++) {
        name = strcmp(name, keys[i][0]) == 0 ? keys[i][1] : name;
    }
    if (*creds_files_get(from, name) == '\0' && s->at == 0 && c->session != NULL) {
        from = c->session;
    }
    assert_string_equal(creds_files_get(from, name), item->value);
    return 0;
}

static int compare_step_body(void *user, const struct json_item *item)
{
    struct step *s = user;

    assert_string_equal(item->key, s->at == 0 ? base_name(s->chain->base) : "AssumeRole");
    if (strcmp(item->type, "object") == 0) {
        data_each(item->value, "$", compare_step_setting, s);
    } else {
        assert_string_equal(creds_files_get(s->chain->profile, "credential_source"), item->value);
    }
    return 0;
}

static int compare_step(void *user, const struct json_item *item)
{
    struct step *s = user;

    data_each(item->value, "$", compare_step_body, s);
    s->at++;
    return 0;
}

static int chain_case(void *user, const struct json_item *item)
{
    const char *test = item->value;
    char *docs = data_at(test, "$.docs"), *name = data_at(test, "$.input.selected_profile");
    char *refused = data_at(test, "$.output.Error");
    struct creds_files f = {.count = 0};
    struct creds_chain chain;
    struct step step = {.chain = &chain};
    struct error err = {0};
    struct buf text;
    struct writing w = {.out = &text, .prefix = "profile"};
    int rc;

    print_message("chain: %s\n", docs);
    buf_init(&text, DATA_MAX);
    data_each(test, "$.input.profiles", write_section, &w);
    w.prefix = "sso-session";
    data_each(test, "$.input.sso_sessions", write_section, &w);
    assert_int_equal(creds_files_add(&f, (char *)buf_data(&text), text.len, true, NULL), 0);
    rc = creds_chain_make(&f, name, true, &chain, &err);
    if (*refused != '\0') {
        assert_true(rc <= 0);
        assert_true(err.text[0] != '\0');
    } else {
        assert_int_equal(rc, 1);
        data_each(test, "$.output.ProfileChain", compare_step, &step);
        assert_int_equal(step.at, chain.role_count + 1);
    }
    buf_clear(&text);
    creds_files_clear(&f);
    free(docs);
    free(name);
    free(refused);
    ++*(unsigned *)user;
    return 0;
}

static int location_case(void *user, const struct json_item *item)
{
    const char *test = item->value;
    char *platform = data_at(test, "$.platform"), *profile = data_at(test, "$.profile");
    char *want_config = data_at(test, "$.configLocation");
    char *want_credentials = data_at(test, "$.credentialsLocation");
    char config[PATH_MAX], credentials[PATH_MAX];
    bool named;

    if (strcmp(platform, "linux") == 0) {
        data_fresh();
        data_each(test, "$.environment", data_setenv, NULL);
        creds_files_paths(config, credentials);
        assert_string_equal(config, want_config);
        assert_string_equal(credentials, want_credentials);
        assert_string_equal(creds_files_profile(&named), *profile == '\0' ? "default" : profile);
        ++*(unsigned *)user;
    }
    free(platform);
    free(profile);
    free(want_config);
    free(want_credentials);
    return 0;
}

/* Returns how many there were. */
static unsigned run(const char *dir, const char *name, const char *path,
                    int (*one)(void *user, const struct json_item *item))
{
    char *doc = data_file(dir, name);
    unsigned count = 0;

    assert_non_null(doc);
    data_each(doc, path, one, &count);
    free(doc);
    print_message("%s/%s: %u cases\n", dir, name, count);
    return count;
}

static void our_cases(void **state)
{
    (void)state;
    assert_true(run(CREDS_OWN, "profile-parser.json", "$.tests", parser_case) >= 20);
    assert_true(run(CREDS_OWN, "assume-role.json", "$", chain_case) >= 20);
    assert_true(run(CREDS_OWN, "file-location.json", "$.tests", location_case) >= 5);
}

static void the_sdks_cases(void **state)
{
    (void)state;
    if (!data_sdk_is_there()) {
        skip();
    }
    assert_true(run(CREDS_DATA, "profile-parser-tests.json", "$.tests", parser_case) >= 60);
    assert_true(run(CREDS_DATA, "aws-config/assume-role-tests.json", "$", chain_case) >= 28);
    assert_true(run(CREDS_DATA, "file-location-tests.json", "$.tests", location_case) >= 4);
}

static void bounds(void **state)
{
    struct creds_files f = {.count = 0};
    struct error err = {0};
    struct buf b;

    (void)state;
    buf_init(&b, DATA_MAX);
    for (unsigned i = 0; i <= CREDS_FILES_SECTIONS; i++) {
        MUST(buf_printf(&b, &err, "[s%u]\n", i));
    }
    REFUSES(creds_files_add(&f, (char *)buf_data(&b), b.len, false, &err), ERR_LIMIT);
    creds_files_clear(&f);
    buf_reset(&b);
    MUST(buf_puts(&b, "[a]\n", &err));
    for (unsigned i = 0; i <= CREDS_FILES_SETTINGS; i++) {
        MUST(buf_printf(&b, &err, "n%u=\n", i));
    }
    REFUSES(creds_files_add(&f, (char *)buf_data(&b), b.len, false, &err), ERR_LIMIT);
    creds_files_clear(&f);
    buf_reset(&b);
    MUST(buf_puts(&b, "[a]\nx = y\n", &err));
    for (unsigned i = 0; i < 4000; i++) {
        MUST(buf_puts(&b, " continued\n", &err));
    }
    REFUSES(creds_files_add(&f, (char *)buf_data(&b), b.len, false, &err), ERR_LIMIT);
    creds_files_clear(&f);
    REFUSES(creds_files_add(&f, "[a]\nx = \0y\n", 11, false, &err), ERR_USAGE);
    creds_files_clear(&f);
    buf_clear(&b);
}

static void more_roles_than_anybody_has(void **state)
{
    struct creds_files f = {.count = 0};
    struct creds_chain c;
    struct error err = {0};
    struct buf b;

    (void)state;
    buf_init(&b, DATA_MAX);
    for (unsigned i = 0; i <= CREDS_CHAIN_MAX; i++) {
        MUST(buf_printf(&b, &err, "[p%u]\nrole_arn=arn:r\nsource_profile=p%u\n", i, i + 1));
    }
    MUST(creds_files_add(&f, (char *)buf_data(&b), b.len, false, &err));
    REFUSES(creds_chain_make(&f, "p0", true, &c, &err), ERR_LIMIT);
    creds_files_clear(&f);
    buf_clear(&b);
}

static void commands_are_split(void **state)
{
    static const struct {
        const char *command;
        int count; /* -1: refused */
        const char *words[4];
    } table[] = {
        {"/bin/x", 1, {"/bin/x"}},
        {"  a\tb  ", 2, {"a", "b"}},
        {"\"/opt/my tool\" --x 'y z'", 3, {"/opt/my tool", "--x", "y z"}},
        {"a'b'\"c\"", 1, {"abc"}},
        {"a \"\" ''", 3, {"a", "", ""}},
        {"a b\\ c \"d\\\"e\" 'f\\g'", 4, {"a", "b c", "d\"e", "f\\g"}},
        /* nothing of a shell: these are words */
        {"a $HOME `id` ;", 4, {"a", "$HOME", "`id`", ";"}},
        {"a > /tmp/x | y", 5, {"a", ">", "/tmp/x", "|"}},
        {"a 'b", -1, {NULL}},
        {"a \"b", -1, {NULL}},
        {"a \\", -1, {NULL}},
        {"   ", -1, {NULL}},
    };
    char store[CREDS_PROCESS_BYTES], *argv[CREDS_PROCESS_WORDS + 1];
    char many[CREDS_PROCESS_BYTES * 2];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        print_message("%s\n", table[i].command);
        assert_int_equal(creds_process_split(table[i].command, store, argv, NULL), table[i].count);
        for (int n = 0; n < table[i].count && n < 4; n++) {
            assert_string_equal(argv[n], table[i].words[n]);
        }
    }
    memset(many, 'x', sizeof many);
    many[sizeof many - 1] = '\0';
    assert_int_equal(creds_process_split(many, store, argv, NULL), -1);
    for (size_t i = 0; i < 2 * (CREDS_PROCESS_WORDS + 1); i += 2) {
        memcpy(many + i, "x ", 3);
    }
    assert_int_equal(creds_process_split(many, store, argv, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_cases),
        cmocka_unit_test(the_sdks_cases),
        cmocka_unit_test(bounds),
        cmocka_unit_test(more_roles_than_anybody_has),
        cmocka_unit_test(commands_are_split),
    };
    int rc;

    if (data_start() != 0) {
        return 1;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    data_end();
    return rc;
}
