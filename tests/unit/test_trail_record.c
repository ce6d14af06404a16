/* SPDX-License-Identifier: Apache-2.0 */
/* Records of CloudTrail in all the shapes that AWS documents and that were seen, as events. */
#include "tests/unit/check.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/io.h"
#include "trail/identity.h"
#include "trail/record.h"

static struct json *json;

static int setup(void **state)
{
    struct error err;

    (void)state;
    return json_open(&json, &err);
}

static int teardown(void **state)
{
    (void)state;
    json_close(json);
    return 0;
}

static struct trail_event e; /* large; one at a time */

static void reads(const char *text)
{
    struct error err;

    MUST(record_read(json, text, strlen(text), &e, &err));
}

/* One letter a record; upper case: it failed, or opened nothing. */
static char letter_of(void)
{
    static const char letters[] = "npstbrealc"; /* b: begins, e: ends a session */
    char c = letters[e.kind];

    if (e.kind == TRAIL_START && !trail_event_is_access(&e)) {
        return 'B';
    }
    return e.kind != TRAIL_NOISE && e.error[0] != '\0' ? (char)(c - 'a' + 'A') : c;
}

struct table {
    struct json *own; /* the walk's: record_read has the other */
    char got[128];
    size_t n;
    const char *file, *member;
    unsigned invalid;
};

static int one(void *user, const struct json_item *item)
{
    struct table *t = user;
    struct error err = {.kind = ERR_NONE};
    struct buf text;
    int found;

    assert_true(t->n < sizeof t->got - 1);
    buf_init(&text, RECORD_MAX + 1);
    found = json_text(json, item->value, item->value_len, t->member, &text, &err);
    if (found == 0) {
        MUST(buf_append(&text, item->value, item->value_len, &err));
    }
    if (record_read(json, (const char *)buf_data(&text), text.len, &e, &err) != 0) {
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_true(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
        t->got[t->n++] = '!';
    } else {
        char name[512];

        identity_name(&e.who, name, sizeof name);
        assert_true(name[0] != '\0' && e.id[0] != '\0');
        t->got[t->n++] = letter_of();
    }
    buf_clear(&text);
    return 0;
}

static const struct {
    const char *file, *member, *want;
} tables[] = {
    {"aws-docs/examples-not-valid-json.json", "$.text", "!!!!!!!!!!!!!!!!!!!"},
    {"aws-docs/examples-repaired.json", "$.record", "aann"},
    {"aws-docs/examples.json", "$.record",
     "nnnnnnnpnnnnnnnnnnnnnnnnnnnnnnllLnnllLnnnnnnnnnnnnnnnnlnnnnnnnnnaaanLLan"},
    {"aws-docs/opentunnel.json", "$.record", "t"},
    {"other-networkactivity-vpce.json", "$.record", "n"},
    {"other-startsession-variants.json", "$.record", "bbb"},
    {"panther/identity-type-samples.json", "$.record", "nnnnnnnnnnnnnn"},
    {"panther/session-and-sts-events.json", "$.record",
     "blLlLlLlnllllllLllllllllLlappPaaAlaaAaaaalLlLlll"},
    {"stratus/aws.credential-access.ec2-steal-instance-credentials.json", "$.record",
     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"},
    {"stratus/aws.execution.ssm-send-command.json", "$.record",
     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"},
    {"stratus/aws.execution.ssm-start-session.json", "$.record", "nnnnnnnnnnnnnnnnnnnnnnnebebeb"},
    {"stratus/aws.initial-access.console-login-without-mfa.json", "$.record", "l"},
    {"stratus/aws.lateral-movement.ec2-instance-connect.json", "$.record", "ppp"},
    {"stratus/aws.lateral-movement.ec2-serial-console-send-ssh-public-key.json", "$.record",
     "nsss"},
    {"stratus/aws.persistence.rolesanywhere-create-trust-anchor.json", "$.record", "nn"},
    {"stratus/aws.persistence.sts-federation-token.json", "$.record", "an"},
};

/* 0: there is none of that name. */
static int check_file(const char *base, const char *file, const char *member, const char *want)
{
    struct table t = {.file = file, .member = member};
    struct error err;
    struct buf all;
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/%s", base, file);
    buf_init(&all, 4U << 20);
    if (io_read_file(AT_FDCWD, path, 4U << 20, &all, &err) != 0) {
        buf_clear(&all);
        return 0;
    }
    MUST(json_open(&t.own, &err));
    if (*(const char *)buf_data(&all) == '[') {
        MUST(json_each(t.own, (const char *)buf_data(&all), all.len, "$", one, &t, &err));
    } else {
        struct json_item item = {"", "object", (const char *)buf_data(&all), all.len};

        (void)one(&t, &item);
    }
    json_close(t.own);
    buf_clear(&all);
    if (strcmp(t.got, want) != 0) {
        fail_msg("%s: %s", file, t.got);
    }
    return 1;
}

static void every_record_of_the_collection_is_what_it_is(void **state)
{
    const char *base = TRAIL_DATA "/cloudtrail";

    (void)state;
    if (access(base, R_OK) != 0) {
        print_message("NOT TESTED: records of %s, which is not there\n", base);
        return;
    }
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        assert_int_equal(check_file(base, tables[i].file, tables[i].member, tables[i].want), 1);
    }
}

/* The shapes of the collection, with values of our own. */
#define WHO                                                                                        \
    "\"userIdentity\":{\"type\":\"AssumedRole\",\"principalId\":\"AROAEXAMPLE:alice@corp\","       \
    "\"arn\":\"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/"      \
    "alice@corp\",\"accountId\":\"111122223333\",\"accessKeyId\":\"ASIAEXAMPLE\","                 \
    "\"sessionContext\":{\"sessionIssuer\":{\"type\":\"Role\",\"arn\":\"arn:aws:iam::"             \
    "111122223333:"                                                                                \
    "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef\"},"                \
    "\"attributes\":{\"mfaAuthenticated\":\"true\"}}}"
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEexampleexampleexampleexampleexampleexamp1"
#define PUSH_AS(name, params, more)                                                                \
    "{\"eventVersion\":\"1.08\"," WHO ",\"eventTime\":\"2026-03-04T05:06:07Z\",\"eventSource\":"   \
    "\"ec2-instance-connect.amazonaws.com\",\"eventName\":\"" name                                 \
    "\",\"awsRegion\":\"eu-west-1\","                                                              \
    "\"sourceIPAddress\":\"203.0.113.9, 198.51.100.1\",\"requestParameters\":{" params "}" more    \
    ",\"requestID\":\"r-1\",\"eventID\":\"e-1\",\"recipientAccountId\":\"111122223333\"}"

static void a_push_as_it_is_written(void **state)
{
    char text[512];

    (void)state;
    reads(PUSH_AS("SendSSHPublicKey",
                  "\"instanceId\":\"i-1\",\"instanceOSUser\":\"ec2-user\",\"sSHPublicKey\":\"" KEY
                  " alice@laptop\\n\"",
                  ",\"responseElements\":{\"requestId\":\"r-1\",\"success\":true}"));
    assert_int_equal(e.kind, TRAIL_PUSH);
    assert_true(trail_event_is_access(&e));
    assert_string_equal(e.instance, "i-1");
    assert_string_equal(e.os_user, "ec2-user");
    assert_string_equal(e.key, KEY);
    assert_string_equal(e.request_id, "r-1");
    assert_string_equal(e.address, "203.0.113.9, 198.51.100.1");
    assert_int_equal(e.time_us, INT64_C(1772600767000000));
    assert_string_equal(e.who.session_name, "alice@corp");
    assert_string_equal(e.who.mfa, "true");
    identity_name(&e.who, text, sizeof text);
    assert_string_equal(text, "alice@corp");
    identity_role(&e.who, text, sizeof text);
    assert_string_equal(text, "Admin");
}

static void a_push_as_it_is_documented(void **state)
{
    (void)state;
    reads(PUSH_AS("SendSSHPublicKey ",
                  "\"instanceId\":\"i-1\",\"osUser\":\"ubuntu\",\"SSHKey\":{\"publicKey\":\"" KEY
                  "\"}",
                  ",\"responseElements\":null"));
    assert_int_equal(e.kind, TRAIL_PUSH);
    assert_true(trail_event_is_access(&e));
    assert_string_equal(e.name, "SendSSHPublicKey");
    assert_string_equal(e.os_user, "ubuntu");
    assert_string_equal(e.key, KEY);
}

static void the_consoles_key_is_hidden(void **state)
{
    static const char *const hidden[] = {
        PUSH_AS("SendSSHPublicKey", "\"sSHPublicKey\":\"AWS autogenerated key\"", ""),
        PUSH_AS("SendSSHPublicKey", "\"sSHPublicKey\":\"ssh-rsa AWS autogenerated key\"", ""),
        PUSH_AS("SendSSHPublicKey", "\"sSHPublicKey\":\"\"", ""),
        PUSH_AS("SendSSHPublicKey", "\"sSHPublicKey\":\"ssh-ed25519\"", ""),
        PUSH_AS("SendSSHPublicKey", "\"sSHPublicKey\":\"HIDDEN_DUE_TO_SECURITY_REASONS\"", ""),
        PUSH_AS("SendSSHPublicKey", "\"sSHPublicKey\":null", ""),
    };

    (void)state;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        reads(hidden[i]);
        assert_string_equal(e.key, "");
        assert_int_equal(e.kind, TRAIL_PUSH);
    }
}

static void what_failed_is_no_access(void **state)
{
    static const char *const failed[] = {
        PUSH_AS("SendSSHPublicKey", "\"instanceId\":\"i-1\"", ",\"errorCode\":\"AccessDenied\""),
        PUSH_AS("SendSSHPublicKey", "\"instanceId\":\"i-1\"", ",\"errorMessage\":\"no\""),
        PUSH_AS("SendSSHPublicKey", "\"instanceId\":\"i-1\"",
                ",\"responseElements\":{\"success\":false}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof failed / sizeof *failed; i++) {
        reads(failed[i]);
        assert_int_equal(e.kind, TRAIL_PUSH);
        assert_true(e.error[0] != '\0');
        assert_false(trail_event_is_access(&e));
    }
}

static void numbers_and_booleans_come_in_both_forms(void **state)
{
    (void)state;
    reads(PUSH_AS("OpenTunnel",
                  "\"privateIpAddress\":\"10.0.0.9\",\"remotePort\":22,"
                  "\"instanceConnectEndpointId\":\"eice-1\"",
                  ""));
    assert_int_equal(e.kind, TRAIL_TUNNEL);
    assert_string_equal(e.tunnel_port, "22");
    reads(PUSH_AS("OpenTunnel", "\"remotePort\":\"2222\"", ""));
    assert_string_equal(e.tunnel_port, "2222");
    reads(PUSH_AS("SendSerialConsoleSSHPublicKey", "\"serialPort\":0,\"monitorMode\":true", ""));
    assert_true(e.monitor);
    reads(
        PUSH_AS("SendSerialConsoleSSHPublicKey", "\"serialPort\":0,\"monitorMode\":\"false\"", ""));
    assert_false(e.monitor);
}

#define SSM(name, params, response)                                                                \
    "{\"eventSource\":\"ssm.amazonaws.com\",\"eventName\":\"" name                                 \
    "\",\"eventTime\":\"2026-03-04 "                                                               \
    "05:06:07.000000000\",\"eventID\":\"e-2\",\"requestParameters\":" params                       \
    ",\"responseElements\":" response "}"

static void sessions_of_session_manager(void **state)
{
    (void)state;
    reads(SSM("StartSession", "{\"target\":\"mi-1\",\"documentName\":\"AWS-StartSSHSession\"}",
              "{\"sessionId\":\"alice-0123456789abcdef0\",\"tokenValue\":\"Value hidden\"}"));
    assert_int_equal(e.kind, TRAIL_START);
    assert_true(trail_event_is_access(&e));
    assert_string_equal(e.instance, "mi-1");
    assert_string_equal(e.session, "alice-0123456789abcdef0");
    assert_string_equal(e.document, "AWS-StartSSHSession");
    assert_int_equal(e.time_us, INT64_C(1772600767000000));
    /* Nothing came back, so nothing was opened, whatever was asked. */
    reads(SSM("StartSession", "{\"target\":\"i-1\",\"sessionId\":\"mine\"}", "null"));
    assert_string_equal(e.session, "");
    assert_false(trail_event_is_access(&e));
    reads(SSM("ResumeSession", "{\"sessionId\":\"alice-1\"}", "null"));
    assert_int_equal(e.kind, TRAIL_RESUME);
    assert_string_equal(e.session, "alice-1");
    reads(SSM("TerminateSession", "{\"sessionId\":\"alice-1\"}", "{\"sessionId\":\"alice-1\"}"));
    assert_int_equal(e.kind, TRAIL_TERMINATE);
    assert_string_equal(e.session, "alice-1");
}

static void names_of_others_are_others(void **state)
{
    (void)state;
    reads("{\"eventSource\":\"athena.amazonaws.com\",\"eventName\":\"StartSession\"}");
    assert_int_equal(e.kind, TRAIL_NOISE);
    reads("{\"eventSource\":\"iot.amazonaws.com\",\"eventName\":\"OpenTunnel\"}");
    assert_int_equal(e.kind, TRAIL_NOISE);
    assert_memory_equal(e.id, "text-", 5);
}

static void addenda_name_what_they_amend(void **state)
{
    (void)state;
    reads("{\"eventID\":\"e-3\",\"addendum\":{\"reason\":\"UPDATED_DATA\","
          "\"originalEventID\":\"e-1\"}}");
    assert_string_equal(e.amends, "e-1");
    reads("{\"eventID\":\"e-3\",\"addendum\":{\"reason\":\"UPDATED_DATA\"}}");
    assert_string_equal(e.amends, "e-3");
    reads("{\"eventID\":\"e-3\",\"addendum\":{\"reason\":\"DELIVERY_DELAY\"}}");
    assert_string_equal(e.amends, "");
}

static void what_assume_gave_out(void **state)
{
    (void)state;
    reads("{\"eventSource\":\"sts.amazonaws.com\",\"eventName\":\"AssumeRole\",\"eventID\":\"e\","
          "\"responseElements\":{\"credentials\":{\"accessKeyId\":\"ASIANEW\"},"
          "\"assumedRoleUser\":{\"arn\":\"arn:aws:sts::1:assumed-role/R/s\"}}}");
    assert_int_equal(e.kind, TRAIL_ASSUME);
    assert_string_equal(e.issued_key, "ASIANEW");
    assert_string_equal(e.issued_arn, "arn:aws:sts::1:assumed-role/R/s");
}

static void logins_that_failed_say_so_in_a_way_of_their_own(void **state)
{
    (void)state;
    reads("{\"eventSource\":\"signin.amazonaws.com\",\"eventName\":\"ConsoleLogin\","
          "\"responseElements\":{\"ConsoleLogin\":\"Failure\"},"
          "\"additionalEventData\":{\"MFAUsed\":\"Yes\"}}");
    assert_int_equal(e.kind, TRAIL_LOGIN);
    assert_string_equal(e.error, "Failure");
    assert_string_equal(e.who.mfa, "true");
}

static void what_is_none_is_refused_in_one_line(void **state)
{
    static const char *const none[] = {"", "  ", "[]", "\"x\"", "{", "{\"a\":}", "{}x"};
    struct error err;
    char text[600];

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        REFUSES(record_read(json, none[i], strlen(none[i]), &e, &err), ERR_CORRUPT);
    }
    REFUSES(record_read(json, "{}\0{}", 5, &e, &err), ERR_CORRUPT);
    /* Too long: only where it decides. */
    (void)snprintf(text, sizeof text,
                   "{\"eventSource\":\"ssm.amazonaws.com\",\"eventName\":\"%s\","
                   "\"requestParameters\":{\"target\":\"%0200d\"}}",
                   "StartSession", 1);
    REFUSES(record_read(json, text, strlen(text), &e, &err), ERR_CORRUPT);
    (void)snprintf(text, sizeof text,
                   "{\"eventSource\":\"x.amazonaws.com\",\"eventName\":\"%0200d\","
                   "\"requestParameters\":{\"target\":\"%0200d\"}}",
                   1, 1);
    reads(text);
    assert_int_equal(e.kind, TRAIL_NOISE);
}

static void people_are_named_as_people_do(void **state)
{
    static const struct {
        struct trail_identity who;
        const char *name, *role;
    } rows[] = {
        {{.type = "IAMUser", .user_name = "alice", .arn = "arn:aws:iam::1:user/t/alice"},
         "alice",
         ""},
        {{.type = "IAMUser", .arn = "arn:aws:iam::1:user/t/alice"}, "alice", ""},
        {{.type = "Root", .arn = "arn:aws:iam::1:root"}, "root", ""},
        {{.type = "AssumedRole",
          .session_name = "bob",
          .arn = "arn:aws:sts::1:assumed-role/Ops/bob"},
         "bob",
         "Ops"},
        {{.type = "AssumedRole",
          .session_name = "bob",
          .source_identity = "alice@corp",
          .issuer_arn = "arn:aws:iam::1:role/path/Ops"},
         "alice@corp",
         "Ops"},
        {{.type = "AssumedRole",
          .session_name = "a@b",
          .arn = "arn:aws:sts::1:assumed-role/AWSReservedSSO_Db_Admin_0123456789abcdef/a@b"},
         "a@b",
         "Db_Admin"},
        {{.type = "SAMLUser",
          .user_name = "alice",
          .provider = "arn:aws:iam::1:saml-provider/okta",
          .principal_id = "x:alice"},
         "okta/alice",
         ""},
        {{.type = "WebIdentityUser", .user_name = "123", .provider = "accounts.google.com"},
         "accounts.google.com/123",
         ""},
        {{.type = "FederatedUser",
          .principal_id = "1:bob",
          .issuer_arn = "arn:aws:iam::1:user/alice"},
         "bob through alice",
         ""},
        {{.type = "AWSAccount", .account = "123", .principal_id = "AROA:x"}, "123:AROA:x", ""},
        {{.type = "AWSService", .invoked_by = "ec2.amazonaws.com"}, "ec2.amazonaws.com", ""},
        {{.type = "IdentityCenterUser", .on_behalf_of = "u-1"}, "u-1", ""},
        {{.type = "Unknown"}, "unknown", ""},
        {{.type = ""}, "unknown", ""},
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        identity_name(&rows[i].who, text, sizeof text);
        assert_string_equal(text, rows[i].name);
        identity_role(&rows[i].who, text, sizeof text);
        assert_string_equal(text, rows[i].role);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_of_the_collection_is_what_it_is),
        cmocka_unit_test(a_push_as_it_is_written),
        cmocka_unit_test(a_push_as_it_is_documented),
        cmocka_unit_test(the_consoles_key_is_hidden),
        cmocka_unit_test(what_failed_is_no_access),
        cmocka_unit_test(numbers_and_booleans_come_in_both_forms),
        cmocka_unit_test(sessions_of_session_manager),
        cmocka_unit_test(names_of_others_are_others),
        cmocka_unit_test(addenda_name_what_they_amend),
        cmocka_unit_test(what_assume_gave_out),
        cmocka_unit_test(logins_that_failed_say_so_in_a_way_of_their_own),
        cmocka_unit_test(what_is_none_is_refused_in_one_line),
        cmocka_unit_test(people_are_named_as_people_do),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
