/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "aws/s3_private.h"

#define LOWER_ALNUM "abcdefghijklmnopqrstuvwxyz0123456789"
#define ALNUM       LOWER_ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct endpoint {
    bool tls;
    char host[200]; /* with brackets when IPv6; lower case */
    char port[8];   /* ":8443", or "" for the scheme's own */
};

static bool only(const char *text, const char *set)
{
    return text[strspn(text, set)] == '\0';
}

/* An address, or a name of one label ("localhost", "minio"): neither has subdomains. */
static bool has_no_subdomains(const char *host)
{
    return host[0] == '[' || only(host, "0123456789.") || strchr(host, '.') == NULL;
}

/* "https://host[:port][/]" and nothing else. */
static int parse_endpoint(const char *text, struct endpoint *ret, struct error *err)
{
    static const char hint[] = "endpoint '%.100s': write https://host[:port]";
    const char *p;
    size_t n, port;

    ret->tls = strncmp(text, "https://", 8) == 0;
    if (!ret->tls && strncmp(text, "http://", 7) != 0) {
        return err_set(err, ERR_USAGE, hint, text);
    }
    p = text + (ret->tls ? 8 : 7);
    n = *p == '[' ? strcspn(p, "]") + 1 : strcspn(p, ":/");
    if (n == 0 || n >= sizeof ret->host || (*p == '[' && p[n - 1] != ']')) {
        return err_set(err, ERR_USAGE, hint, text);
    }
    for (size_t i = 0; i < n; i++) {
        ret->host[i] = (char)tolower((unsigned char)p[i]);
    }
    ret->host[n] = '\0';
    p += n;
    ret->port[0] = '\0';
    if (*p == ':') {
        port = strspn(p + 1, "0123456789");
        if (port == 0 || port > 5) {
            return err_set(err, ERR_USAGE, hint, text);
        }
        (void)snprintf(ret->port, sizeof ret->port, "%.*s", (int)port + 1, p);
        p += port + 1;
        if (strcmp(ret->port, ret->tls ? ":443" : ":80") == 0) {
            ret->port[0] = '\0';
        }
    }
    if ((*p != '\0' && strcmp(p, "/") != 0) ||
        !only(ret->host, ret->host[0] == '[' ? "0123456789abcdef:.[]" : LOWER_ALNUM "-._")) {
        return err_set(err, ERR_USAGE, hint, text);
    }
    return 0;
}

/* Regional names only: the global one does not go through a gateway endpoint. */
static int default_endpoint(const char *region, struct endpoint *ret, struct error *err)
{
    bool china = strncmp(region, "cn-", 3) == 0;

    if (*region == '\0') {
        return err_set(err, ERR_USAGE,
                       "no region: set [s3] region, AWS_REGION or the profile's region");
    }
    ret->tls = true;
    ret->port[0] = '\0';
    (void)snprintf(ret->host, sizeof ret->host, "s3.%s.amazonaws.com%s", region,
                   china ? ".cn" : "");
    return 0;
}

int s3_place_make(struct s3_place *ret, const struct s3_config *config, const char *region,
                  struct error *err)
{
    const char *bucket = config->bucket == NULL ? "" : config->bucket;
    struct endpoint at = {0};
    struct s3_place made;
    bool set = config->endpoint != NULL && config->endpoint[0] != '\0';
    bool in_path;

    if (strlen(bucket) < 3 || strlen(bucket) > 63 || !only(bucket, ALNUM "-._")) {
        return err_set(err, ERR_USAGE, "'%.70s' is no name of a bucket", bucket);
    }
    if (!only(region, LOWER_ALNUM "-")) {
        return err_set(err, ERR_USAGE, "'%.70s' is no region", region);
    }
    if ((set ? parse_endpoint(config->endpoint, &at, err) : default_endpoint(region, &at, err)) !=
        0) {
        return -1;
    }
    in_path = config->path_style || !only(bucket, LOWER_ALNUM "-") || has_no_subdomains(at.host);
    (void)snprintf(made.host, sizeof made.host, "%s%s%s%s", in_path ? "" : bucket,
                   in_path ? "" : ".", at.host, at.port);
    (void)snprintf(made.origin, sizeof made.origin, "%s%s", at.tls ? "https://" : "http://",
                   made.host);
    (void)snprintf(made.path, sizeof made.path, "%s%s", in_path ? "/" : "", in_path ? bucket : "");
    *ret = made;
    return 0;
}
