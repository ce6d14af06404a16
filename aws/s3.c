/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/creds.h"
#include "aws/s3_private.h"

static void find_region(struct s3 *s)
{
    const char *configured = s->config.region, *endpoint = s->config.endpoint;

    if (configured != NULL && *configured != '\0') {
        (void)snprintf(s->region, sizeof s->region, "%s", configured);
        return;
    }
    creds_region(s->config.creds, s->region, sizeof s->region);
    /* Servers of other makers mostly have but this one. */
    if (s->region[0] == '\0' && endpoint != NULL && *endpoint != '\0') {
        (void)snprintf(s->region, sizeof s->region, "us-east-1");
    }
}

/* Callers build these in places that do not outlive the call. */
static int own(const char **text)
{
    if (*text == NULL) {
        return 0;
    }
    *text = strdup(*text);
    return *text == NULL ? -1 : 0;
}

static int own_config(struct s3_config *c, const struct s3_config *theirs)
{
    const char **const texts[] = {&c->endpoint,       &c->region,  &c->bucket,
                                  &c->expected_owner, &c->kms_key, &c->ca_file,
                                  &c->storage_class,  &c->tags,    &c->lock_mode};
    int rc = 0;

    *c = *theirs;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        rc |= own(texts[i]);
    }
    return rc;
}

static void drop_config(struct s3_config *c)
{
    const char *const texts[] = {c->endpoint,       c->region,  c->bucket,
                                 c->expected_owner, c->kms_key, c->ca_file,
                                 c->storage_class,  c->tags,    c->lock_mode};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        free((void *)(uintptr_t)texts[i]);
    }
}

int s3_open(struct s3 **ret, const struct s3_config *config, struct error *err)
{
    struct s3 *s = calloc(1, sizeof *s);
    struct http_config http = {.ca_file = NULL};

    if (s == NULL) {
        return err_sys(err, "allocate");
    }
    if (own_config(&s->config, config) != 0) {
        (void)err_sys(err, "allocate");
        s3_close(s);
        return -1;
    }
    http.ca_file = s->config.ca_file;
    /* AWS does; of others it is not known before their first answer. */
    s->no_echo = s->config.endpoint != NULL && *s->config.endpoint != '\0';
    find_region(s);
    if (s3_place_make(&s->place, &s->config, s->region, err) != 0 ||
        http_open(&s->http, &http, err) != 0) {
        s3_close(s);
        return -1;
    }
    *ret = s;
    return 0;
}

void s3_close(struct s3 *s)
{
    if (s != NULL) {
        http_close(s->http);
        drop_config(&s->config);
        free(s);
    }
}

int64_t s3_sign_skew_us(const struct s3 *s)
{
    return s->sign_skew_us;
}

int s3_wait(struct s3 *s, int fd, int timeout_ms, struct error *err)
{
    return http_wait(s->http, fd, timeout_ms, err);
}

void s3_cancel(struct s3 *s)
{
    http_cancel(s->http);
}

bool s3_wants_md5(const struct s3 *s)
{
    return s->no_echo;
}

int64_t s3_skew_us(const struct s3 *s)
{
    return s->seen_skew_us;
}

const char *s3_host(const struct s3 *s)
{
    return s->place.host;
}

const char *s3_region(const struct s3 *s)
{
    return s->region;
}
