/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds_endpoint.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *variable, *section, *name;
} services[] = {[CREDS_STS] = {"AWS_ENDPOINT_URL_STS", "sts", "sts"},
                [CREDS_SSO] = {"AWS_ENDPOINT_URL_SSO", "sso", "portal.sso"}};

/* What the profile says, of this service or of all. */
static void profile_endpoint(struct creds_context *x, enum creds_service service, char *ret,
                             size_t size)
{
    const struct creds_section *p = creds_context_profile(x);
    const char *list = creds_files_get(p, "services");

    ret[0] = '\0';
    if (*list != '\0') {
        creds_files_nested(creds_files_find(&x->files, CREDS_INI_SERVICES, list),
                           services[service].section, "endpoint_url", ret, size);
    }
    if (*ret == '\0') {
        (void)snprintf(ret, size, "%s", creds_files_get(p, "endpoint_url"));
    }
}

static void configured(struct creds_context *x, enum creds_service service, char *ret, size_t size)
{
    const char *set = creds_env_get(services[service].variable);

    ret[0] = '\0';
    if (creds_env_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
        return;
    }
    set = *set == '\0' ? creds_env_get("AWS_ENDPOINT_URL") : set;
    if (*set != '\0') {
        (void)snprintf(ret, size, "%s", set);
    } else {
        profile_endpoint(x, service, ret, size);
    }
}

static bool is_set(struct creds_context *x, const char *variable, const char *setting)
{
    return *creds_env_get(variable) != '\0'
               ? creds_env_true(variable)
               : strcmp(creds_files_get(creds_context_profile(x), setting), "true") == 0;
}

static int regional(struct creds_context *x, enum creds_service service, const char *region,
                    char *ret, size_t size, struct error *err)
{
    bool fips = is_set(x, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
    bool dual = is_set(x, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
    bool china = strncmp(region, "cn-", 3) == 0;

    if (*region == '\0') {
        return err_set(err, ERR_USAGE,
                       "no region: set AWS_REGION, or region in the profile (the global endpoint "
                       "is never asked)");
    }
    if (region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0' ||
        strlen(region) > 40) {
        return err_set(err, ERR_USAGE, "the region is none");
    }
    (void)snprintf(ret, size, "https://%s%s.%s.%s", services[service].name, fips ? "-fips" : "",
                   region,
                   dual ? (china ? "api.amazonwebservices.com.cn" : "api.aws")
                        : (china ? "amazonaws.com.cn" : "amazonaws.com"));
    return 0;
}

/* "http[s]://host[:port][/path]", of plain characters. */
static int take_apart(struct creds_endpoint *e, const char *variable, struct error *err)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/[]";
    bool tls = strncmp(e->url, "https://", 8) == 0;
    const char *host = e->url + (tls ? 8 : 7), *port = tls ? ":443" : ":80";
    size_t n, all = strlen(e->url);

    while (all > 0 && e->url[all - 1] == '/') {
        e->url[--all] = '\0';
    }
    n = all < 8 ? 0 : strcspn(host, "/");
    if ((!tls && strncmp(e->url, "http://", 7) != 0) || n == 0 ||
        e->url[strspn(e->url, plain)] != '\0' || strlen(host + n) >= sizeof e->path) {
        return err_set(err, ERR_USAGE, "%s is no http address", variable);
    }
    memcpy(e->path, host + n, strlen(host + n) + 1);
    (void)snprintf(e->host, sizeof e->host, "%.*s", (int)n, host);
    if (n > strlen(port) && strcmp(e->host + n - strlen(port), port) == 0) {
        e->host[n - strlen(port)] = '\0';
    }
    return 0;
}

int creds_endpoint_make(struct creds_endpoint *ret, struct creds_context *x,
                        enum creds_service service, const char *region, struct error *err)
{
    memset(ret, 0, sizeof *ret);
    configured(x, service, ret->url, sizeof ret->url);
    if (ret->url[0] == '\0' && regional(x, service, region, ret->url, sizeof ret->url, err) != 0) {
        return -1;
    }
    if (strlen(ret->url) + 1 == sizeof ret->url) {
        return err_set(err, ERR_LIMIT, "an overlong endpoint");
    }
    return take_apart(ret, services[service].variable, err);
}
