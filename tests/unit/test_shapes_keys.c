/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys in PEM and the keys of AWS, as programs show them. */
#include "shapes_rig.h"

static const struct row pem[] = {
    {"on one line, in JSON",
     "\"private_key\": \"-----BEGIN PRIVATE "
     "KEY-----"
     "\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\\nMIIEvQIBADANBgkqhkiG9w0"
     "BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\\nabc=\\n-----END PRIVATE KEY-----\\n\",\r\n\"x\": "
     "\"y\"\r\n",
     "\"private_key\": \"-----BEGIN PRIVATE "
     "KEY-----*************************************************************************************"
     "*******************************************************-----END PRIVATE "
     "KEY-----\\n\",\r\n\"x\": \"y\"\r\n",
     "pem-private-key"},
    {"on one line of any length",
     "-----BEGIN PRIVATE "
     "KEY-----"
     "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKBMIIEvQIBADANBgkqhkiG9w0BAQEFA"
     "ASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKBMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9"
     "Us8cKBMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKBMIIEvQIBADANBgkqhkiG9w0"
     "BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKBMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"
     "VJTUt9Us8cKBMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKBMIIEvQIBADANBgkqh"
     "kiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKBMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAo"
     "IBAQC7VJTUt9Us8cKBMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKBMIIEvQIBADA"
     "NBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKBMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj"
     "AgEAAoIBAQC7VJTUt9Us8cKB-----END PRIVATE KEY-----\r\n$ ls\r\n",
     "-----BEGIN PRIVATE "
     "KEY-----*************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "********************************-----END PRIVATE KEY-----\r\n$ ls\r\n",
     "pem-private-key"},
    {"indented in YAML",
     "key: |\r\n      -----BEGIN RSA PRIVATE KEY-----\r\n      "
     "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\r\n      "
     "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\r\n      -----END RSA "
     "PRIVATE KEY-----\r\nb: c\r\n",
     "key: |\r\n      -----BEGIN RSA PRIVATE KEY-----\r\n      "
     "****************************************************************\r\n      "
     "****************************************************************\r\n      -----END RSA "
     "PRIVATE KEY-----\r\nb: c\r\n",
     "pem-private-key"},
    {"far to the right",
     "                                                                                             "
     "       -----BEGIN EC PRIVATE KEY-----\r\n                                                    "
     "                                                "
     "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\r\n                         "
     "                                                                           -----END EC "
     "PRIVATE KEY-----\r\n",
     "                                                                                             "
     "       -----BEGIN EC PRIVATE KEY-----\r\n                                                    "
     "                                                "
     "****************************************************************\r\n                         "
     "                                                                           -----END EC "
     "PRIVATE KEY-----\r\n",
     "pem-private-key"},
    {"encrypted, with headers",
     "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
     "AES-128-CBC,"
     "0123456789ABCDEF0123456789ABCDEF\n\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt"
     "9Us8cKB\n-----END RSA PRIVATE KEY-----\n",
     "-----BEGIN RSA PRIVATE KEY-----\n****-***** ***********\n***-***** "
     "***-***-************************************\n\n*********************************************"
     "*******************\n-----END RSA PRIVATE KEY-----\n",
     "pem-private-key"},
    {"of OpenPGP",
     "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG "
     "v2\n\nlQOYBFMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\n=abcd\n-----"
     "END PGP PRIVATE KEY BLOCK-----\n",
     "-----BEGIN PGP PRIVATE KEY BLOCK-----\n******** ***** "
     "**\n\n**********************************************************************\n*****\n-----"
     "END PGP PRIVATE KEY BLOCK-----\n",
     "pem-private-key"},
    {"of OpenSSH, in short lines",
     "-----BEGIN OPENSSH PRIVATE "
     "KEY-----\r\nb3BlbnNz\r\naC1rZXkt\r\ndjEAAAAA\r\nBG5vbmU\r\n-----END OPENSSH PRIVATE "
     "KEY-----\r\n",
     "-----BEGIN OPENSSH PRIVATE "
     "KEY-----\r\n********\r\n********\r\n********\r\n*******\r\n-----END OPENSSH PRIVATE "
     "KEY-----\r\n",
     "pem-private-key"},
    {"in a here-document",
     "$ cat > k <<E\r\n> -----BEGIN PRIVATE KEY-----\r\n> "
     "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\r\n> abcd=\r\n> -----END "
     "PRIVATE KEY-----\r\n> E\r\n",
     "$ cat > k <<E\r\n> -----BEGIN PRIVATE KEY-----\r\n* "
     "****************************************************************\r\n* *****\r\n* -----END "
     "PRIVATE KEY-----\r\n> E\r\n",
     "pem-private-key"},
    {"removed, in a diff",
     "--- a/k\r\n------BEGIN PRIVATE "
     "KEY-----\r\n-MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\r\n-xyz=\r\n---"
     "---END PRIVATE KEY-----\r\n done-it\r\n",
     "--- a/k\r\n------BEGIN PRIVATE "
     "KEY-----\r\n-****************************************************************\r\n-****\r\n---"
     "---END PRIVATE KEY-----\r\n done-it\r\n",
     "pem-private-key"},
    {"a beginning alone",
     "grep BEGIN k\r\n-----BEGIN PRIVATE KEY-----\r\nuser@host:~$ echo that is all there is of "
     "it\r\nthat is all there is of it\r\n",
     "grep BEGIN k\r\n-----BEGIN PRIVATE KEY-----\r\nuser@host:~$ echo that is all there is of "
     "it\r\nthat is all there is of it\r\n",
     ""},
    {"told of in prose",
     "between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- stands the key\r\n",
     "between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- stands the key\r\n", ""},
    {"its public half",
     "-----BEGIN PUBLIC "
     "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\r\n-----END "
     "PUBLIC KEY-----\r\n",
     "-----BEGIN PUBLIC "
     "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\r\n-----END "
     "PUBLIC KEY-----\r\n",
     ""},
    {"in base64 of its own",
     "tls.key: "
     "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTkJna3Foa2lHOXcwQkFRRUZBQVND\r\n",
     "tls.key: "
     "LS0tLS1CRUdJTiBQUklWQVRFIEtFW***************************************************\r\n",
     "pem-private-key"},
    {"of a certificate in base64",
     "tls.crt: "
     "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUV2UUlCQURBTkJna3Foa2lHOXcwQkFRRUZBQVND\r\n",
     "tls.crt: "
     "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUV2UUlCQURBTkJna3Foa2lHOXcwQkFRRUZBQVND\r\n",
     ""},
    {"coloured, row by row, by movements",
     ESC_ "[1;1H-----BEGIN PRIVATE KEY-----" ESC_ "[K" ESC_
          "[2;1HMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" ESC_ "[3;1H" ESC_
          "[32mMIIEvQIBADANBgkqhkiG" ESC_ "[m" ESC_ "[K" ESC_ "[4;1H-----END PRIVATE KEY-----" ESC_
          "[K",
     ESC_ "[1;1H-----BEGIN PRIVATE KEY-----" ESC_ "[K" ESC_
          "[2;1H****************************************" ESC_ "[3;1H" ESC_
          "[32m********************" ESC_ "[m" ESC_ "[K" ESC_ "[4;1H-----END PRIVATE KEY-----" ESC_
          "[K",
     "pem-private-key"},
    {"it goes on behind the end of a screen",
     "-----BEGIN PRIVATE "
     "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB" ESC_
     "[?1049l$ tail "
     "k\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB\r\nab=\r\n-----END "
     "PRIVATE KEY-----\r\n",
     "-----BEGIN PRIVATE "
     "KEY-----\r\n****************************************************************" ESC_
     "[?1049l$ tail "
     "k\r\n****************************************************************\r\n***\r\n-----END "
     "PRIVATE KEY-----\r\n",
     "pem-private-key pem-private-key"},
};

static const struct row aws[] = {
    {"a token right behind a key id",
     "AKIAABCDEFGHIJKLMNOP ghp_abcdefghijklmnopqrstuvwxyz0123456789 \r\n",
     "AKIA**************** ghp_************************************ \r\n", "aws-key-id github"},
    {"behind it, the others too",
     "AKIAABCDEFGHIJKLMNOP: glpat-abcdefghij0123456789, xoxb-1234567890-abcdefghij0123456789\n",
     "AKIA****************: glpat-********************, xoxb-*******************************\n",
     "aws-key-id gitlab slack"},
    {"a credential scope",
     "Credential=AKIAABCDEFGHIJKLMNOP/20260101/us-east-1/s3/aws4_request, x\r\n",
     "Credential=AKIA****************/20260101/us-east-1/s3/aws4_request, x\r\n", "aws-key-id"},
    {"in an address",
     "https://b/?X-Amz-Credential=ASIAABCDEFGHIJKLMNOP%2F20260101&c=%3DAKIAABCDEFGHIJKLMNOP\r\n",
     "https://b/?X-Amz-Credential=ASIA****************%2F20260101&c=%3DAKIA****************\r\n",
     "aws-key-id aws-key-id"},
    {"in a table",
     "||  AccessKeyId     |  AKIAABCDEFGHIJKLMNOP  ||\r\n||  SecretAccessKey |  "
     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY  ||\r\n",
     "||  AccessKeyId     |  AKIA****************  ||\r\n||  SecretAccessKey |  "
     "****************************************  ||\r\n",
     "aws-key-id aws-secret-key"},
    {"in a line of text",
     "ACCESSKEY\tAKIAABCDEFGHIJKLMNOP\t2026-01-01T00:00:00Z\twJalrXUtnFEMI/"
     "K7MDENG+bPxRfiCYEXAMPLEKEY\tActive\tuser\r\n",
     "ACCESSKEY\tAKIA****************\t2026-01-01T00:00:00Z\t**************************************"
     "**\tActive\tuser\r\n",
     "aws-key-id aws-secret-key"},
    {"with a colon between", "AKIAABCDEFGHIJKLMNOP:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n",
     "AKIA****************:****************************************\n",
     "aws-key-id aws-secret-key"},
    {"in JSON on one line",
     "{\"AccessKeyId\":\"ASIAABCDEFGHIJKLMNOP\",\"SecretAccessKey\":\"wJalrXUtnFEMI/"
     "K7MDENG+bPxRfiCYEXAMPLEKEY\",\"SessionToken\":\"IQoJb3JpZ2luX2VjwJalrXUtnFEMI/"
     "K7MDENG+bPxRfiCYEXAMPLEKEYwJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEYwJalrXUtnFEMI/"
     "K7MDENG+bPxRfiCYEXAMPLEKEY==\"}\n",
     "{\"AccessKeyId\":\"ASIA****************\",\"SecretAccessKey\":\"*****************************"
     "***********\",\"SessionToken\":\"************************************************************"
     "******************************************************************************\"}\n",
     "aws-key-id aws-secret-key aws-session-token"},
    {"named in YAML", "secret_key: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\r\n",
     "secret_key: ****************************************\r\n", "aws-secret-key"},
    {"named for a shell",
     "export AWS_SECRET_ACCESS_KEY='wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'\r\nexport "
     "AWS_SESSION_TOKEN=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEYwJalrXUtnFEMI/"
     "K7MDENG+bPxRfiCYEXAMPLEKEYwJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\r\n",
     "export AWS_SECRET_ACCESS_KEY='****************************************'\r\nexport "
     "AWS_SESSION_TOKEN=***************************************************************************"
     "*********************************************\r\n",
     "aws-secret-key aws-session-token"},
    {"asked for", "AWS Secret Access Key [None]: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\r\n",
     "AWS Secret Access Key [None]: ****************************************\r\n",
     "aws-secret-key"},
    {"far from a key id",
     "AKIAABCDEFGHIJKLMNOP\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\nwJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\r\n",
     "AKIA****************\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\na few words\r\na few words\r\na few words\r\na few "
     "words\r\nwJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\r\n",
     "aws-key-id"},
    {"typed, line by line", "AKIAABCDEFGHIJKLMNOP\rwJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\r",
     "AKIA****************\r****************************************\r",
     "aws-key-id aws-secret-key"},
};

static void test_pem(void **state)
{
    (void)state;
    check_rows(pem, sizeof pem / sizeof pem[0]);
}

static void test_aws(void **state)
{
    (void)state;
    check_rows(aws, sizeof aws / sizeof aws[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pem),
        cmocka_unit_test(test_aws),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
