/* SPDX-License-Identifier: Apache-2.0 */
/* SigV4 against aws-c-auth's suite, read from beside the project: each of the 38 cases signed in
 * the headers and in the query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>

#include <cmocka.h>

#include "aws/sigv4.h"
#include "common/clock.h"
#include "tests/unit/sigv4_data.h"

struct sample {
    char *text; /* of request.txt, cut up in place */
    struct sigv4_request req;
    struct sigv4_header headers[16];
    size_t count;
    const char *body;
};

/* "METHOD path?query HTTP/1.1", header lines (folded ones too), a blank line, the body. */
static void parse(struct sample *s)
{
    char *line = s->text, *next, *p;

    next = strchr(line, '\n');
    if (next != NULL) {
        *next++ = '\0';
    }
    p = strstr(line, " HTTP/1.1");
    assert_non_null(p);
    *p = '\0';
    p = strchr(line, ' ');
    assert_non_null(p);
    *p++ = '\0';
    s->req.method = line;
    s->req.path = p;
    p = strchr(p, '?');
    if (p != NULL) {
        *p++ = '\0';
        s->req.query = p;
    }
    s->body = "";
    for (line = next; line != NULL && *line != '\0'; line = next) {
        if (*line == '\n') {
            s->body = line + 1;
            break;
        }
        next = strchr(line, '\n');
        while (next != NULL && next[1] == ' ') {
            next = strchr(next + 1, '\n');
        }
        if (next != NULL) {
            *next++ = '\0';
        }
        p = strchr(line, ':');
        assert_non_null(p);
        *p = '\0';
        s->headers[s->count++] = (struct sigv4_header){line, p + 1};
    }
}

static void check(const char *dir, const char *kind, const struct sigv4_request *req,
                  const struct sigv4_scope *scope, const char *secret)
{
    static const char *const files[] = {"canonical-request", "string-to-sign", "signature"};
    struct buf canonical, names, text;
    char signature[65], name[64];
    const char *made[3];

    buf_init(&canonical, SIGV4_MAX_BYTES);
    buf_init(&names, SIGV4_MAX_BYTES);
    buf_init(&text, SIGV4_MAX_BYTES);
    assert_int_equal(sigv4_canonical(req, &canonical, &names, NULL), 0);
    assert_int_equal(sigv4_string_to_sign(scope, buf_data(&canonical), canonical.len, &text, NULL),
                     0);
    assert_int_equal(sigv4_signature(secret, scope, buf_data(&text), text.len, signature, NULL), 0);
    made[0] = buf_text(&canonical, NULL);
    made[1] = buf_text(&text, NULL);
    made[2] = signature;
    for (size_t i = 0; i < 3; i++) {
        char *expected;

        (void)snprintf(name, sizeof name, "%s-%s.txt", kind, files[i]);
        expected = sigv4_data_read(dir, name);
        assert_string_equal(made[i], expected);
        free(expected);
    }
    buf_clear(&canonical);
    buf_clear(&names);
    buf_clear(&text);
}

struct context {
    char *access, *secret, *token, *region, *service, *expires, *timestamp;
    bool normalize, sign_body, omit_token;
    struct sigv4_scope scope;
};

static bool flag(const char *doc, const char *path)
{
    char *v = sigv4_data_at(doc, path);
    bool set = strcmp(v, "1") == 0 || strcmp(v, "true") == 0;

    free(v);
    return set;
}

static void load_context(const char *dir, struct context *c)
{
    char *doc = sigv4_data_read(dir, "context.json");
    int64_t unix_us = 0;

    c->access = sigv4_data_at(doc, "$.credentials.access_key_id");
    c->secret = sigv4_data_at(doc, "$.credentials.secret_access_key");
    c->token = sigv4_data_at(doc, "$.credentials.token");
    c->region = sigv4_data_at(doc, "$.region");
    c->service = sigv4_data_at(doc, "$.service");
    c->expires = sigv4_data_at(doc, "$.expiration_in_seconds");
    c->timestamp = sigv4_data_at(doc, "$.timestamp");
    c->normalize = flag(doc, "$.normalize");
    c->sign_body = flag(doc, "$.sign_body");
    c->omit_token = flag(doc, "$.omit_session_token");
    if (clock_parse(c->timestamp, &unix_us, NULL) != 0) {
        unix_us = -1; /* the signature will tell */
    }
    c->scope = (struct sigv4_scope){unix_us, c->region, c->service};
    free(doc);
}

static void free_context(struct context *c)
{
    free(c->access);
    free(c->secret);
    free(c->token);
    free(c->region);
    free(c->service);
    free(c->expires);
    free(c->timestamp);
}

static void sign_in_headers(const char *dir, const struct context *c, struct sample *s)
{
    char date[17];

    sigv4_amz_date(c->scope.unix_us, date);
    s->headers[s->count++] = (struct sigv4_header){"X-Amz-Date", date};
    if (*c->token != '\0' && !c->omit_token) {
        s->headers[s->count++] = (struct sigv4_header){"X-Amz-Security-Token", c->token};
    }
    if (c->sign_body) {
        s->headers[s->count++] = (struct sigv4_header){"x-amz-content-sha256", s->req.payload_hash};
    }
    s->req.headers = s->headers;
    s->req.header_count = s->count;
    check(dir, "header", &s->req, &c->scope, c->secret);
}

static void sign_in_query(const char *dir, const struct context *c, struct sample *s)
{
    struct buf query, canonical, names;
    char date[17];

    buf_init(&query, SIGV4_MAX_BYTES);
    buf_init(&canonical, SIGV4_MAX_BYTES);
    buf_init(&names, SIGV4_MAX_BYTES);
    sigv4_amz_date(c->scope.unix_us, date);
    s->req.headers = s->headers;
    s->req.header_count = s->count;
    assert_int_equal(sigv4_canonical(&s->req, &canonical, &names, NULL), 0);
    assert_int_equal(
        buf_printf(&query, NULL,
                   "%s&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s/%.8s/%s/%s/"
                   "aws4_request&X-Amz-Date=%s&X-Amz-Expires=%s&X-Amz-SignedHeaders=%s",
                   s->req.query == NULL ? "" : s->req.query, c->access, date, c->region, c->service,
                   date, c->expires, buf_text(&names, NULL)),
        0);
    if (*c->token != '\0' && !c->omit_token) {
        assert_int_equal(buf_puts(&query, "&X-Amz-Security-Token=", NULL), 0);
        assert_int_equal(sigv4_encode(&query, c->token, strlen(c->token), false, NULL), 0);
    }
    s->req.query = buf_text(&query, NULL);
    check(dir, "query", &s->req, &c->scope, c->secret);
    buf_clear(&query);
    buf_clear(&canonical);
    buf_clear(&names);
}

static void run_case(const char *dir, bool in_query)
{
    struct sample s = {.text = sigv4_data_read(dir, "request.txt")};
    struct context c;
    char hash[65];

    load_context(dir, &c);
    parse(&s);
    sigv4_sha256_hex(s.body, strlen(s.body), hash);
    s.req.payload_hash = hash;
    s.req.path_rule = c.normalize ? SIGV4_PATH_GENERIC : SIGV4_PATH_ENCODE;
    if (in_query) {
        sign_in_query(dir, &c, &s);
    } else {
        sign_in_headers(dir, &c, &s);
    }
    free_context(&c);
    free(s.text);
}

static void run_suite(bool in_query)
{
    DIR *d;
    struct dirent *e;
    unsigned cases = 0;

    if (!sigv4_data_is_there()) {
        skip();
    }
    d = opendir(SIGV4_DATA "/v4");
    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        char dir[1024];

        if (e->d_name[0] != '.') {
            (void)snprintf(dir, sizeof dir, SIGV4_DATA "/v4/%s", e->d_name);
            print_message("case %s\n", e->d_name);
            run_case(dir, in_query);
            cases++;
        }
    }
    closedir(d);
    print_message("%u cases\n", cases);
    assert_int_equal(cases, 38);
}

static void suite_in_headers(void **state)
{
    (void)state;
    run_suite(false);
}

static void suite_in_query(void **state)
{
    (void)state;
    run_suite(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suite_in_headers),
        cmocka_unit_test(suite_in_query),
    };
    int rc;

    if (json_open(&json, NULL) != 0) {
        return 1;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    json_close(json);
    return rc;
}
