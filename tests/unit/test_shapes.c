/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens in a stream: found whole or cut, and nothing else touched. */
#include "shapes_rig.h"

static const struct row table[] = {
    {"a key's id", "id AKIA" S16 "\r\n", "id AKIA" T16 "\r\n", "aws-key-id"},
    {"a temporary one", "(ASIA" S16 ")", "(ASIA" T16 ")", "aws-key-id"},
    {"too long for one", "AKIA" S16 "Q ", "AKIA" S16 "Q ", ""},
    {"too short",
     "AKIA"
     "ABCDEFGHIJKLMNO ",
     "AKIA"
     "ABCDEFGHIJKLMNO ",
     ""},
    {"within a word", "xAKIA" S16 " ", "xAKIA" S16 " ", ""},
    {"with its secret key", "AKIA" S16 "\r\n" S40 "\r\n", "AKIA" T16 "\r\n" T40 "\r\n",
     "aws-key-id aws-secret-key"},
    {"a credentials file",
     "[default]\r\naws_access_key_id = AKIA" S16 "\r\naws_secret_access_key = " S40 "\r\n$ ",
     "[default]\r\naws_access_key_id = AKIA" T16 "\r\naws_secret_access_key = " T40 "\r\n$ ",
     "aws-key-id aws-secret-key"},
    {"JSON", "\"SecretAccessKey\": \"" S40 "\",", "\"SecretAccessKey\": \"" T40 "\",",
     "aws-secret-key"},
    {"a session token", "\"SessionToken\": \"" S40 S40 S40 "==\"",
     "\"SessionToken\": \"" T40 T40 T40 "**\"", "aws-session-token"},
    {"forty characters alone are a checksum", "sum " S40 "\r\n", "sum " S40 "\r\n", ""},
    {"hexadecimal is no key", "AKIA" S16 " 0123456789abcdef0123456789abcdef01234567\r\n",
     "AKIA" T16 " 0123456789abcdef0123456789abcdef01234567\r\n", "aws-key-id"},
    {"github", "token ghp_" S36 "\r\n", "token ghp_" T36 "\r\n", "github"},
    {"github, at the very end", "ghs_" S36, "ghs_" T36, "github"},
    {"github's other form", "github_pat_" S20 "_ab ", "github_pat_" T20 "*** ", "github"},
    {"a name like it", "ghp_short = 1\r\n", "ghp_short = 1\r\n", ""},
    {"gitlab", "glpat-" S20 "\r\n", "glpat-" T20 "\r\n", "gitlab"},
    {"slack",
     "xoxb-"
     "1234567890-" S20 " ",
     "xoxb-"
     "***********" T20 " ",
     "slack"},
    {"stripe", "sk_live_" S20 "\n", "sk_live_" T20 "\n", "stripe"},
    {"stripe's test keys are none", "sk_test_" S20 "\n", "sk_test_" S20 "\n", ""},
    {"vault", "hvs." S20 "ABCDEF\n", "hvs." T20 "******\n", "vault"},
    {"a JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh_-12345 x",
     "eyJ*****************.*******************.*************** x", "jwt"},
    {"two parts are none", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0 x",
     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0 x", ""},
    {"the second is no object", "eyJhbGciOiJIUzI1NiJ9.abcdefghijkl.abcdefghijkl x",
     "eyJhbGciOiJIUzI1NiJ9.abcdefghijkl.abcdefghijkl x", ""},
    {"a private key",
     "-----BEGIN EC PRIVATE KEY-----\r\nMHcCAQEEIabc/+DEF\r\nxyz=\r\n-----END EC "
     "PRIVATE KEY-----\r\n$ ",
     "-----BEGIN EC PRIVATE KEY-----\r\n*****************\r\n****\r\n-----END EC PRIVATE "
     "KEY-----\r\n$ ",
     "pem-private-key"},
    {"a public key", "-----BEGIN PUBLIC KEY-----\r\nMHcCAQEEIabc\r\n",
     "-----BEGIN PUBLIC KEY-----\r\nMHcCAQEEIabc\r\n", ""},
    {"coloured by grep", ESC_ "[01;31m" ESC_ "[Kghp_" ESC_ "[m" ESC_ "[K" S36 "\r\n",
     ESC_ "[01;31m" ESC_ "[Kghp_" ESC_ "[m" ESC_ "[K" T36 "\r\n", "github"},
    {"coloured in the middle", "ghp_" S20 ESC_ "[7m" S20 ESC_ "[27m\r\n",
     "ghp_" T20 ESC_ "[7m" T20 ESC_ "[27m\r\n", "github"},
    {"typed over the right edge", "$ x=ghp_" S20 " \r" S20 "\r\n", "$ x=ghp_" T20 " \r" T20 "\r\n",
     "github"},
    {"in a header", "> Authorization: Bearer ghp_" S36 "\r\n>\r\n",
     "> Authorization: Bearer ghp_" T36 "\r\n>\r\n", "github"},
    {"ordinary text", "The quick. brown-fox_jumps AND T-K.\r\nJava session_id=17 -- x\r\n",
     "The quick. brown-fox_jumps AND T-K.\r\nJava session_id=17 -- x\r\n", ""},
};

static void test_shapes_cut_anywhere(void **state)
{
    (void)state;
    check_rows(table, sizeof table / sizeof table[0]);
}

/* Bytes that hold no token pass unchanged, a prefix that goes on for ever among them. */
static void test_random_bytes_pass(void **state)
{
    struct out *o = malloc(sizeof *o);
    char *bytes = malloc(OUT);
    uint64_t random = 7;

    (void)state;
    assert_true(o != NULL && bytes != NULL);
    for (size_t i = 0; i < 60000; i++) {
        bytes[i] = (char)(check_random(&random) & 0xff);
    }
    run(bytes, 60000, 0, 3, o);
    assert_int_equal(o->len, 60000);
    assert_memory_equal(o->text, bytes, 60000);
    memset(bytes, 'A', 50000);
    memcpy(bytes, " AKIA", 5);
    run(bytes, 50000, 0, 0, o);
    assert_int_equal(o->len, 50000);
    assert_memory_equal(o->text, bytes, 50000);
    free(bytes);
    free(o);
}

/* ${more} after a pause that was too long: what was shown of a token stays shown, the rest is
 * hidden. */
static void check_pause(const char *first, const char *more, const char *out, const char *kinds)
{
    struct out *o = malloc(sizeof *o);
    struct shapes_sink sink = {o, on_keep, on_token};
    struct shapes s;

    assert_non_null(o);
    memset(o, 0, sizeof *o);
    shapes_open(&s, &sink);
    shapes_put(&s, (const uint8_t *)first, strlen(first));
    shapes_flush(&s);
    assert_false(shapes_waiting(&s));
    assert_int_equal(o->len, strlen(first)); /* nothing waits for what may never come */
    for (size_t i = 0; i < strlen(more); i++) {
        shapes_put(&s, (const uint8_t *)more + i, 1);
    }
    shapes_flush(&s);
    o->text[o->len] = '\0';
    assert_string_equal(o->text, out);
    assert_string_equal(o->kinds, kinds);
    free(o);
}

static void test_a_pause_within_a_token(void **state)
{
    (void)state;
    check_pause("ghp_abcdef", "ghijklmnopqrstuvwxyz0123456789 x\r",
                "ghp_abcdef****************************** x\r", "github");
    check_pause("AKIA" S16, "\r" S40 "\r", "AKIA" T16 "\r" T40 "\r", "aws-key-id aws-secret-key");
    check_pause("-----BEGIN PRIVATE KEY-----\r\n", S40 "\r\nab==\r\n-----END PRIVATE KEY-----\r\n",
                "-----BEGIN PRIVATE KEY-----\r\n" T40 "\r\n****\r\n-----END PRIVATE KEY-----\r\n",
                "pem-private-key");
    check_pause("ghp_abcdef", "gh is none\r", "ghp_abcdefgh is none\r", "");
}

static size_t stars(const struct out *o)
{
    size_t n = 0;

    for (size_t i = 0; i < o->len; i++) {
        n += o->text[i] == '*';
    }
    return n;
}

/* Of a private key without an end (docs/THREATS.md): what is base64, and so much behind it. */
static void test_a_key_without_an_end(void **state)
{
    static const char begin[] = "-----BEGIN PRIVATE KEY-----\r\n", words[] = "some words. ";
    struct out *o = malloc(sizeof *o);
    char *text = calloc(1, OUT);
    size_t len = sizeof begin - 1;

    (void)state;
    assert_true(o != NULL && text != NULL);
    memcpy(text, begin, len);
    memset(text + len, 'A', 70000);
    run(text, len + 70000, 0, 5, o);
    assert_in_range(stars(o), 65536, 65540);

    memset(text + len, 0, 70000);
    (void)snprintf(text + len, 200, "%s\r\n", S40 S40);
    len = strlen(text);
    for (unsigned i = 0; i < 1000; i++) {
        memcpy(text + len, words, sizeof words);
        len += sizeof words - 1;
    }
    run(text, len, 0, 5, o);
    assert_in_range(stars(o), 80 + 100, 80 + 170);
    assert_string_equal(o->kinds, "pem-private-key");
    free(text);
    free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_cut_anywhere),
        cmocka_unit_test(test_random_bytes_pass),
        cmocka_unit_test(test_a_pause_within_a_token),
        cmocka_unit_test(test_a_key_without_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
