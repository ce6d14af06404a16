/* SPDX-License-Identifier: Apache-2.0 */
/* The whole chain of sources, by cases: an environment, files, what is asked and answered, and the
 * keys or the error that come out. */
#include "tests/unit/creds_script.h"

#include <errno.h>
#include <ftw.h>

#include "aws/creds.h"
#include "aws/creds_container.h"

#define NOW INT64_C(1795326000000000) /* 2026-11-22T05:40:00Z */

static const char *const secrets[] = {
    "sk1",    "sk2", "sk3", "skNO",      "skQUOTED",          "skSECRET",
    "bearer", "tk1", "tk2", "pod-token", "test-session-token"};

static void check_error(const struct error *err, const char *contains)
{
    assert_int_not_equal(err->kind, ERR_NONE);
    if (strstr(err->text, contains) == NULL) {
        fail_msg("no '%s' in: %s", contains, err->text);
    }
    assert_null(strchr(err->text, '\n'));
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        assert_null(strstr(err->text, secrets[i]));
    }
}

static void check_keys(const struct creds_view *v, const char *result)
{
    static const char *const paths[] = {"$.Ok.access_key_id", "$.Ok.secret_access_key",
                                        "$.Ok.session_token"};
    const char *const got[] = {v->access_key, v->secret_key, v->token};
    char *expiry = data_at(result, "$.Ok.expiry");

    for (size_t i = 0; i < 3; i++) {
        char *want = data_at(result, paths[i]);

        assert_string_equal(got[i], want);
        free(want);
    }
    assert_int_equal(v->expires_us, strtoll(expiry, NULL, 10) * 1000000);
    assert_true(v->source[0] != '\0');
    free(expiry);
}

/* ${result}: {"Ok":{...}} or {"ErrorContains":text}; the text counts in our cases. */
static void run(struct script *s, const char *result, bool ours)
{
    struct creds *c = NULL;
    struct creds_view v;
    struct error err = {0};
    char *refused = data_at(result, "$.ErrorContains");
    int rc;

    assert_int_equal(creds_open_over(&c, script_send, s, NULL), 0);
    rc = creds_get(c, NOW, &v, &err);
    if (*refused != '\0') {
        if (rc == 0) {
            fail_msg("keys of %s", v.source);
        }
        check_error(&err, ours ? refused : "");
    } else {
        if (rc != 0) {
            fail_msg("%s", err.text);
        }
        check_keys(&v, result);
    }
    assert_int_equal(s->at, s->count);
    creds_close(c);
    free(refused);
}

/* Ours */

static int our_step(void *user, const struct json_item *item)
{
    struct script *s = user;
    struct script_step *to = &s->steps[s->count++];
    char *status = data_at(item->value, "$.status");

    assert_true(s->count <= SCRIPT_MAX);
    *to = (struct script_step){.method = data_at(item->value, "$.method"),
                               .uri = data_at(item->value, "$.uri"),
                               .reply = data_at(item->value, "$.reply"),
                               .date = data_at(item->value, "$.date"),
                               .doc = check_copy(item->value),
                               .status = (int)strtol(status, NULL, 10)};
    free(status);
    return 0;
}

static int our_env(void *user, const struct json_item *item)
{
    char *value = script_place(item->value);

    (void)user;
    assert_int_equal(setenv(item->key, value, 1), 0);
    free(value);
    return 0;
}

static int our_file(void *user, const struct json_item *item)
{
    char *text = script_place(item->value);

    (void)user;
    data_write(item->key, text);
    free(text);
    return 0;
}

static int our_case(void *user, const struct json_item *item)
{
    static struct script s;
    char *name = data_at(item->value, "$.name"), *result = data_at(item->value, "$.result");

    print_message("%s\n", name);
    data_fresh();
    data_each(item->value, "$.env", our_env, NULL);
    assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
    data_each(item->value, "$.fs", our_file, NULL);
    data_each(item->value, "$.http", our_step, &s);
    run(&s, result, true);
    script_clear(&s);
    free(name);
    free(result);
    ++*(unsigned *)user;
    return 0;
}

static void our_cases(void **state)
{
    char *doc = data_file(CREDS_OWN, "chain.json");
    unsigned count = 0;

    (void)state;
    assert_non_null(doc);
    data_each(doc, "$", our_case, &count);
    assert_true(count >= 70);
    free(doc);
}

/* The SDKs': files lie at absolute places, which are moved below the test's directory. */

static char *moved(const char *text)
{
    struct buf b;
    const char *mark;
    char *copy;

    buf_init(&b, DATA_MAX);
    while ((mark = strstr(text, "/token.jwt")) != NULL) {
        (void)buf_append(&b, text, (size_t)(mark - text), NULL);
        (void)buf_printf(&b, NULL, "%s/token.jwt", data_dir);
        text = mark + 10;
    }
    (void)buf_puts(&b, text, NULL);
    copy = check_copy(buf_text(&b, NULL));
    buf_clear(&b);
    return copy;
}

static int sdk_env(void *user, const struct json_item *item)
{
    char *value = moved(item->value), *home;

    (void)user;
    assert_true(asprintf(&home, "%s%s", data_dir, item->value) > 0);
    assert_int_equal(setenv(item->key, strcmp(item->key, "HOME") == 0 ? home : value, 1), 0);
    free(value);
    free(home);
    return 0;
}

static char *sdk_root;

static int sdk_file(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)f;
    if (type == FTW_F) {
        char *text = data_file("", path), *own = moved(text);

        data_write(path + strlen(sdk_root), own);
        free(text);
        free(own);
    }
    return 0;
}

/* {"action":{"Request"|"Response"|"Data"|"Eof":...}} */
static int sdk_event(void *user, const struct json_item *item)
{
    struct script *s = user;
    char *uri = data_at(item->value, "$.action.Request.request.uri");
    char *status = data_at(item->value, "$.action.Response.response.Ok.status");
    char *direction = data_at(item->value, "$.action.Data.direction");
    struct script_step *to;

    if (*uri != '\0') {
        assert_true(s->count < SCRIPT_MAX);
        s->steps[s->count++] =
            (struct script_step){.method = data_at(item->value, "$.action.Request.request.method"),
                                 .uri = check_copy(uri),
                                 .date = check_copy(""),
                                 .reply = check_copy("")};
    }
    to = &s->steps[s->count == 0 ? 0 : s->count - 1];
    if (*status != '\0') {
        to->status = (int)strtol(status, NULL, 10);
    }
    if (strcmp(direction, "Response") == 0) {
        free(to->reply);
        to->reply = data_at(item->value, "$.action.Data.data.Utf8");
    }
    free(uri);
    free(status);
    free(direction);
    return 0;
}

static void sdk_case(const char *dir)
{
    static struct script s;
    char *env = data_file(dir, "env.json"), *traffic = data_file(dir, "http-traffic.json");
    char *test = data_file(dir, "test-case.json"), *result = data_at(test, "$.result");

    data_fresh();
    data_each(env, "$", sdk_env, NULL);
    assert_true(asprintf(&sdk_root, "/%s/fs", dir) > 0);
    (void)nftw(sdk_root, sdk_file, 8, FTW_PHYS);
    free(sdk_root);
    data_each(traffic, "$.events", sdk_event, &s);
    s.repeat = true; /* they give up at other times */
    run(&s, result, false);
    script_clear(&s);
    free(env);
    free(traffic);
    free(test);
    free(result);
}

static void the_sdks_cases(void **state)
{
    static const char at[] = CREDS_DATA "/aws-config/default-credential-provider-chain";
    struct dirent **names;
    unsigned count = 0;
    int n;

    (void)state;
    if (!data_sdk_is_there()) {
        skip();
    }
    n = scandir(at, &names, NULL, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        char *dir;

        if (names[i]->d_name[0] != '.') {
            assert_true(asprintf(&dir, "%s/%s", at, names[i]->d_name) > 0);
            print_message("%s\n", names[i]->d_name);
            sdk_case(dir);
            free(dir);
            count++;
        }
        free(names[i]);
    }
    free(names);
    assert_true(count >= 28);
}

/* Where containers may be asked */

static int container_case(void *user, const struct json_item *item)
{
    char *want = data_at(item->value, "$.result.Ok"), *docs = data_at(item->value, "$.docs");
    char *relative = data_at(item->value, "$.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    char *full = data_at(item->value, "$.env.AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char url[512] = "";
    int rc = creds_container_url(relative, full, url, sizeof url, NULL);

    print_message("%s\n", docs);
    assert_int_equal(rc == 1, *want != '\0');
    if (rc == 1) {
        assert_string_equal(url, want);
    }
    free(want);
    free(docs);
    free(relative);
    free(full);
    ++*(unsigned *)user;
    return 0;
}

/* Where the metadata service is asked */

static int imds_case(void *user, const struct json_item *item)
{
    static struct script s;
    char *want = data_at(item->value, "$.result.Ok"), *docs = data_at(item->value, "$.docs");
    char *given = data_at(item->value, "$.endpoint_override");
    char *mode = data_at(item->value, "$.mode_override");
    struct creds *c;
    struct creds_view v;
    struct error err = {0};

    if (*given != '\0' || *mode != '\0') {
        print_message("does not apply (a setting of the SDK's interface): %s\n", docs);
    } else {
        print_message("%s\n", docs);
        data_fresh();
        assert_int_equal(chdir(data_dir), 0);
        data_each(item->value, "$.env", data_setenv, NULL);
        data_each(item->value, "$.fs", data_setfile, NULL);
        s.steps[0] = (struct script_step){.method = check_copy("PUT"),
                                          .uri = check_copy(want),
                                          .reply = check_copy(""),
                                          .date = check_copy(""),
                                          .status = 403};
        s.count = 1;
        assert_int_equal(creds_open_over(&c, script_send, &s, NULL), 0);
        assert_int_equal(creds_get(c, NOW, &v, &err), -1);
        assert_int_equal(err.kind, *want == '\0' ? ERR_USAGE : ERR_DENIED);
        assert_string_equal(s.first_url, want);
        creds_close(c);
        script_clear(&s);
        ++*(unsigned *)user;
    }
    free(want);
    free(docs);
    free(given);
    free(mode);
    return 0;
}

static unsigned tables(const char *dir, const char *name,
                       int (*one)(void *user, const struct json_item *item))
{
    char *doc = data_file(dir, name);
    unsigned count = 0;

    assert_non_null(doc);
    data_each(doc, "$.tests", one, &count);
    free(doc);
    return count;
}

static void addresses(void **state)
{
    (void)state;
    assert_true(tables(CREDS_OWN, "ecs.json", container_case) >= 40);
    assert_true(tables(CREDS_OWN, "imds-endpoint.json", imds_case) >= 10);
}

static void the_sdks_addresses(void **state)
{
    (void)state;
    if (!data_sdk_is_there()) {
        skip();
    }
    assert_int_equal(tables(CREDS_DATA, "aws-config/ecs-tests.json", container_case), 11);
    assert_true(tables(CREDS_DATA, "aws-config/imds-config/imds-endpoint-tests.json", imds_case) >=
                11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_cases),
        cmocka_unit_test(the_sdks_cases),
        cmocka_unit_test(addresses),
        cmocka_unit_test(the_sdks_addresses),
    };
    int rc;

    if (data_start() != 0) {
        return 1;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    rc = chdir("/") != 0 || rc != 0;
    data_end();
    return rc;
}
