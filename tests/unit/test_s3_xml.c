/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/s3_private.h"
#include "aws/xml_fault.h"

struct seen {
    char text[2000];
};

static int note(void *user, const struct s3_item *it)
{
    struct seen *s = user;
    size_t n = strlen(s->text);

    (void)snprintf(s->text + n, sizeof s->text - n, "%s|%s|%llu|%lld|%d%d;", it->key, it->version,
                   (unsigned long long)it->size, (long long)it->modified_us, it->latest,
                   it->delete_marker);
    return 0;
}

static int parse(const char *doc, struct s3_page *page, struct seen *seen, struct error *err)
{
    memset(page, 0, sizeof *page);
    memset(seen, 0, sizeof *seen);
    return s3_xml_page(doc, strlen(doc), page, note, seen, err);
}

static void a_listing(void **state)
{
    static const char doc[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
        "<Prefix>a%2F</Prefix><KeyCount>2</KeyCount><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>1ue/x==</NextContinuationToken>\n"
        "  <Contents><Key>a/%C3%BC%25+%2B</Key><LastModified>2026-11-22T05:40:31.250Z"
        "</LastModified><ETag>&quot;x&quot;</ETag><Size>123456789012</Size><Owner><ID>i</ID>"
        "<DisplayName>Key</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>\n"
        "  <Contents><Key>b</Key><Size>0</Size></Contents>"
        "<CommonPrefixes><Prefix>zz</Prefix></CommonPrefixes>"
        "<EncodingType>url</EncodingType></ListBucketResult>";
    struct s3_page page;
    struct seen seen;
    struct error err = {0};

    (void)state;
    assert_int_equal(parse(doc, &page, &seen, &err), 0);
    assert_string_equal(seen.text, "a/\xc3\xbc% +||123456789012|1795326031250000|00;b||0|0|00;");
    assert_true(page.truncated);
    assert_true(page.url_encoded);
    assert_string_equal(page.token, "1ue/x==");
}

static void versions_and_delete_markers(void **state)
{
    static const char doc[] =
        "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
        "<NextKeyMarker>k%2B1</NextKeyMarker><NextVersionIdMarker>v9</NextVersionIdMarker>"
        "<DeleteMarker><Key>k%2B1</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest>"
        "</DeleteMarker><Version><Key>k%2B1</Key><VersionId>v1</VersionId><IsLatest>false"
        "</IsLatest><Size>5</Size></Version></ListVersionsResult>";
    struct s3_page page;
    struct seen seen;
    struct error err = {0};

    (void)state;
    assert_int_equal(parse(doc, &page, &seen, &err), 0);
    assert_string_equal(seen.text, "k+1|v2|0|0|11;k+1|v1|5|0|00;");
    assert_string_equal(page.key_marker, "k+1");
    assert_string_equal(page.version_marker, "v9");
}

static void keys_as_they_stand_without_encoding(void **state)
{
    struct s3_page page;
    struct seen seen;

    (void)state;
    assert_int_equal(parse("<ListBucketResult><Contents><Key>a+%41&amp;&#x41;</Key></Contents>"
                           "</ListBucketResult>",
                           &page, &seen, NULL),
                     0);
    assert_string_equal(seen.text, "a+%41&A||0|0|00;");
}

#define LIST(inside)     "<ListBucketResult>" inside "</ListBucketResult>"
#define URL_LIST(inside) LIST("<EncodingType>url</EncodingType>" inside)
#define DEEP(x)          "<a><a><a><a>" x "</a></a></a></a>"

static void hostile_documents_are_refused(void **state)
{
    static const char *const table[] = {
        "",
        "no xml",
        "<Error><Code>x</Code></Error>",
        "<ListBucketResult>",
        LIST("</Contents>"),
        "<html><body>proxy</body></html>",
        "<!DOCTYPE x [<!ENTITY e \"eeee\">]>" LIST("<Contents><Key>&e;</Key></Contents>"),
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" LIST(""),
        LIST(DEEP(DEEP(DEEP(DEEP(DEEP("x")))))),
        LIST("<Contents><Size>1</Size></Contents>"),
        LIST("<Contents><Key></Key></Contents>"),
        URL_LIST("<Contents><Key>a%00b</Key></Contents>"),
        URL_LIST("<Contents><Key>a%</Key></Contents>"),
        URL_LIST("<Contents><Key>a%4</Key></Contents>"),
        URL_LIST("<Contents><Key>a%4g</Key></Contents>"),
        LIST("<Contents><Key>a</Key><LastModified>yesterday</LastModified></Contents>"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct s3_page page;
        struct seen seen;
        struct error err = {0};

        if (parse(table[i], &page, &seen, &err) != -1 || err.kind != ERR_CORRUPT) {
            fail_msg("document %zu was taken: %s", i, err.text);
        }
    }
}

static void overlong_values_are_refused(void **state)
{
    static const struct {
        const char *before, *after;
        size_t len;
    } table[] = {
        {"<ListBucketResult><Contents><Key>", "</Key></Contents></ListBucketResult>",
         S3_MAX_KEY * 3 + 1},
        {"<ListBucketResult><Contents><Key>", "</Key></Contents></ListBucketResult>", 20000},
        {"<ListBucketResult><NextContinuationToken>", "</NextContinuationToken></ListBucketResult>",
         2048},
        {"<ListVersionsResult><Version><VersionId>", "</VersionId></Version></ListVersionsResult>",
         1025},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char doc[21000], filler[20001];
        struct s3_page page;
        struct seen seen;
        struct error err = {0};

        memset(filler, 'k', table[i].len);
        filler[table[i].len] = '\0';
        (void)snprintf(doc, sizeof doc, "%s%s%s", table[i].before, filler, table[i].after);
        assert_int_equal(parse(doc, &page, &seen, &err), -1);
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
}

static void faults(void **state)
{
    static const char doc[] = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>no\n"
                              "\x1b[31m</Message><Region>eu-west-1</Region></Error>";
    static const char fine[] = "<Error><Code>Access\nDenied</Code><Message>no\twa&#xfc;y</Message>"
                               "<Region>eu-west-1</Region></Error>";
    static const char sts[] = "<ErrorResponse><Code>x</Code><Other><Code>y</Code></Other><Error>"
                              "<Type>Sender</Type><Code>ExpiredToken</Code><Message>m</Message>"
                              "</Error><RequestId>1</RequestId></ErrorResponse>";
    struct xml_fault f;

    (void)state;
    xml_fault_read(doc, sizeof doc - 1, &f); /* ESC is no XML */
    assert_string_equal(f.code, "");
    xml_fault_read(fine, sizeof fine - 1, &f);
    assert_string_equal(f.code, ""); /* no word */
    assert_string_equal(f.message, "no?wa??y");
    assert_string_equal(f.region, "eu-west-1");
    xml_fault_read("", 0, &f);
    assert_string_equal(f.code, "");
    /* STS wraps it, with the same words elsewhere */
    xml_fault_read(sts, sizeof sts - 1, &f);
    assert_string_equal(f.code, "ExpiredToken");
    assert_string_equal(f.message, "m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listing),
        cmocka_unit_test(versions_and_delete_markers),
        cmocka_unit_test(keys_as_they_stand_without_encoding),
        cmocka_unit_test(hostile_documents_are_refused),
        cmocka_unit_test(overlong_values_are_refused),
        cmocka_unit_test(faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
