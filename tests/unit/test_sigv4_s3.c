/* SPDX-License-Identifier: Apache-2.0 */
/* SigV4 against the examples of the S3 documentation, read from beside the project: single
 * requests, and the seed and chunks of a streamed one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/sigv4.h"
#include "tests/unit/sigv4_data.h"

struct s3_example {
    const char *secret;
    struct sigv4_scope scope;
    char seed[65];
    unsigned cases;
    struct sigv4_header headers[16];
    size_t count;
};

static int add_header(void *user, const struct json_item *item)
{
    struct s3_example *x = user;

    assert_true(x->count < 16);
    x->headers[x->count++] = (struct sigv4_header){strdup(item->key), strdup(item->value)};
    return 0;
}

static int run_example(void *user, const struct json_item *item)
{
    static const char *const paths[] = {
        "$.method",       "$.canonical_uri",     "$.canonical_query",
        "$.payload_hash", "$.canonical_request", "$.string_to_sign",
        "$.signature"};
    struct s3_example *x = user;
    char *doc = strdup(item->value), *v[7];
    struct buf canonical, names, text;

    buf_init(&canonical, SIGV4_MAX_BYTES);
    buf_init(&names, SIGV4_MAX_BYTES);
    buf_init(&text, SIGV4_MAX_BYTES);
    for (size_t i = 0; i < 7; i++) {
        v[i] = sigv4_data_at(doc, paths[i]);
    }
    x->count = 0;
    assert_int_equal(json_each(json, doc, strlen(doc), "$.headers", add_header, x, NULL), 0);
    assert_int_equal(sigv4_canonical(&(struct sigv4_request){.method = v[0],
                                                             .path = v[1],
                                                             .query = v[2],
                                                             .path_rule = SIGV4_PATH_S3,
                                                             .headers = x->headers,
                                                             .header_count = x->count,
                                                             .payload_hash = v[3]},
                                     &canonical, &names, NULL),
                     0);
    assert_string_equal(buf_text(&canonical, NULL), v[4]);
    assert_int_equal(
        sigv4_string_to_sign(&x->scope, buf_data(&canonical), canonical.len, &text, NULL), 0);
    assert_string_equal(buf_text(&text, NULL), v[5]);
    assert_int_equal(
        sigv4_signature(x->secret, &x->scope, buf_data(&text), text.len, x->seed, NULL), 0);
    assert_string_equal(x->seed, v[6]);
    x->cases++;
    for (size_t i = 0; i < x->count; i++) {
        free((char *)x->headers[i].name);
        free((char *)x->headers[i].value);
    }
    for (size_t i = 0; i < 7; i++) {
        free(v[i]);
    }
    free(doc);
    buf_clear(&canonical);
    buf_clear(&names);
    buf_clear(&text);
    return 0;
}

/* Each chunk's signature is signed into the next; the seed is the last example's. */
static int run_chunk(void *user, const struct json_item *item)
{
    struct s3_example *x = user;
    char *doc = strdup(item->value), *wanted_text = sigv4_data_at(doc, "$.string_to_sign");
    char *wanted = sigv4_data_at(doc, "$.signature"), *fill = sigv4_data_at(doc, "$.fill"), *chunk;
    struct buf text;
    int64_t len = 0;

    assert_int_equal(json_int(json, doc, strlen(doc), "$.len", &len, NULL), 1);
    chunk = malloc((size_t)len + 1);
    assert_non_null(chunk);
    memset(chunk, fill[0], (size_t)len);
    buf_init(&text, SIGV4_MAX_BYTES);
    assert_int_equal(sigv4_chunk_string(&x->scope, x->seed, chunk, (size_t)len, &text, NULL), 0);
    assert_string_equal(buf_text(&text, NULL), wanted_text);
    assert_int_equal(
        sigv4_signature(x->secret, &x->scope, buf_data(&text), text.len, x->seed, NULL), 0);
    assert_string_equal(x->seed, wanted);
    x->cases++;
    buf_clear(&text);
    free(chunk);
    free(fill);
    free(wanted);
    free(wanted_text);
    free(doc);
    return 0;
}

static int keep_item(void *user, const struct json_item *item)
{
    char **list = user;
    size_t n = 0;

    while (list[n] != NULL) {
        n++;
    }
    assert_true(n < 15);
    list[n] = strdup(item->value);
    return 0;
}

/* json_each's reader is not for use inside its own callback, so items are kept first. */
static void each(const char *doc, const char *path, struct s3_example *x,
                 int (*run)(void *, const struct json_item *))
{
    char *list[16] = {NULL};

    assert_int_equal(json_each(json, doc, strlen(doc), path, keep_item, list, NULL), 0);
    for (size_t i = 0; list[i] != NULL; i++) {
        (void)run(x, &(struct json_item){.value = list[i]});
        free(list[i]);
    }
}

static void s3_examples(void **state)
{
    char *doc, *secret, *region;
    struct s3_example x = {0};

    (void)state;
    if (!sigv4_data_is_there()) {
        skip();
    }
    doc = sigv4_data_read(SIGV4_DATA "/s3-doc-examples", "s3-examples.json");
    secret = sigv4_data_at(doc, "$.secret_key");
    region = sigv4_data_at(doc, "$.region");
    x.secret = secret;
    x.scope = (struct sigv4_scope){INT64_C(1369353600000000), region, "s3"};
    each(doc, "$.cases", &x, run_example);
    each(doc, "$.chunks", &x, run_chunk);
    assert_int_equal(x.cases, 8);
    free(secret);
    free(region);
    free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s3_examples),
    };
    int rc;

    if (json_open(&json, NULL) != 0) {
        return 1;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    json_close(json);
    return rc;
}
