/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens in a stream: found whole or cut, and nothing else touched. */
#include "check.h"
#include "recorder/shapes.h"

#define OUT 65536

struct out {
    char text[OUT];
    size_t len;
    char kinds[512];
};

static void on_keep(void *user, const uint8_t *bytes, size_t len)
{
    struct out *o = user;

    assert_true(len > 0 && o->len + len < OUT);
    memcpy(o->text + o->len, bytes, len);
    o->len += len;
}

static void on_token(void *user, const char *kind)
{
    struct out *o = user;
    size_t n = strlen(o->kinds);

    (void)snprintf(o->kinds + n, sizeof o->kinds - n, "%s%s", n > 0 ? " " : "", kind);
}

/* ${cut}: the first piece's length, or a seed for random pieces. */
static void run(const char *text, size_t len, size_t cut, uint64_t seed, struct out *o)
{
    static uint8_t held[SHAPES_MAX];
    struct shapes_sink sink = {o, on_keep, on_token};
    struct shapes s;
    size_t at = 0;

    memset(o, 0, sizeof *o);
    shapes_open(&s, &sink, held);
    while (at < len) {
        size_t n = at == 0 && cut > 0 ? cut : len - at;

        if (seed != 0) {
            n = 1 + check_random(&seed) % 9;
            n = n < len - at ? n : len - at;
        }
        shapes_put(&s, (const uint8_t *)text + at, n);
        at += n;
    }
    shapes_flush(&s);
    assert_false(shapes_waiting(&s));
    o->text[o->len] = '\0';
    for (size_t i = 0; i < sizeof held; i++) {
        assert_int_equal(held[i], 0);
    }
}

#define S16  "ABCDEFGHIJKLMNOP"
#define S20  "abcdefghij0123456789"
#define S36  "abcdefghijklmnopqrstuvwxyz0123456789"
#define S40  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define T16  "****************"
#define T20  "********************"
#define T36  T16 T20
#define T40  T20 T20
#define ESC_ "\033"

static const struct {
    const char *what, *in, *out, *kinds;
} table[] = {
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
    struct out *o = malloc(sizeof *o);

    (void)state;
    assert_non_null(o);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t len = strlen(table[i].in);

        for (size_t cut = 0; cut < len; cut++) {
            run(table[i].in, len, cut, 0, o);
            if (strcmp(o->text, table[i].out) != 0 || strcmp(o->kinds, table[i].kinds) != 0) {
                print_error("%s, cut at %zu\n", table[i].what, cut);
            }
            assert_string_equal(o->text, table[i].out);
            assert_string_equal(o->kinds, table[i].kinds);
        }
        for (uint64_t seed = 1; seed < 40; seed++) {
            run(table[i].in, len, 0, seed, o);
            assert_string_equal(o->text, table[i].out);
        }
    }
    free(o);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_cut_anywhere),
        cmocka_unit_test(test_random_bytes_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
