/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

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

int s3_open(struct s3 **ret, const struct s3_config *config, struct error *err)
{
    struct s3 *s = calloc(1, sizeof *s);
    struct http_config http = {.ca_file = config->ca_file};

    if (s == NULL) {
        return err_sys(err, "allocate");
    }
    s->config = *config;
    find_region(s);
    if (s3_place_make(&s->place, config, s->region, err) != 0 ||
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
        free(s);
    }
}

int64_t s3_skew_us(const struct s3 *s)
{
    return s->seen_skew_us;
}
