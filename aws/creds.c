/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/creds_private.h"

#define ADVISORY_US  (INT64_C(15) * 60 * 1000000) /* renewed this long before they expire */
#define TRY_AGAIN_US (INT64_C(60) * 1000000)

/* In this order, as AWS's own clients ask. */
static const struct creds_provider *const chain[] = {
    &creds_env_provider,
    &creds_profile_provider,
    &creds_imds_provider,
};

struct creds {
    struct creds_context context;
    struct creds_keys keys;
    bool have, refused;   /* refused: by the server, whatever their expiry says */
    int64_t ask_after_us; /* no source is asked before, while keys are at hand */
    char region[64];
    bool region_known;
};

int creds_open(struct creds **ret, struct error *err)
{
    struct creds *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return err_sys(err, "allocate");
    }
    *ret = c;
    return 0;
}

void creds_close(struct creds *c)
{
    if (c != NULL) {
        imds_close(c->context.imds);
        creds_keys_clear(&c->keys);
        free(c);
    }
}

void creds_keys_clear(struct creds_keys *k)
{
    explicit_bzero(k, sizeof *k);
}

struct imds *creds_context_imds(struct creds_context *x, struct error *err)
{
    return x->imds != NULL || imds_open(&x->imds, err) == 0 ? x->imds : NULL;
}

/* The first source that has any; 0 with ${looked} telling what each of them said. */
static int ask(struct creds *c, struct creds_keys *ret, char *looked, size_t size,
               struct error *err)
{
    for (size_t i = 0; i < sizeof chain / sizeof chain[0]; i++) {
        struct error why = {0};
        size_t used = strlen(looked);
        int rc;

        creds_keys_clear(ret);
        rc = chain[i]->find(&c->context, ret, &why);
        if (rc == 1) {
            return 1;
        }
        if (rc < 0) {
            if (err != NULL) {
                *err = why;
            }
            return err_wrap(err, "AWS credentials of the %s", chain[i]->name);
        }
        (void)snprintf(looked + used, size - used, "%s%s: %.90s", used == 0 ? "" : "; ",
                       chain[i]->name, why.text);
    }
    return 0;
}

static bool usable(const struct creds *c, int64_t now_us)
{
    return c->have && !c->refused && (c->keys.expires_us == 0 || now_us < c->keys.expires_us);
}

static bool fresh(const struct creds *c, int64_t now_us)
{
    return c->have && !c->refused &&
           (c->keys.expires_us == 0 || now_us < c->keys.expires_us - ADVISORY_US ||
            now_us < c->ask_after_us);
}

int creds_get(struct creds *c, int64_t now_us, struct creds_view *ret, struct error *err)
{
    char looked[512] = "";
    struct creds_keys found;
    int rc;

    if (!fresh(c, now_us)) {
        rc = ask(c, &found, looked, sizeof looked, err);
        if (rc == 1) {
            /* Even when these expire soon or have: in trouble the service hands out old ones, which
             * S3 still takes.  Source: the SDKs' "static stability". */
            creds_keys_clear(&c->keys);
            c->keys = found;
            c->have = true;
            c->refused = false;
        }
        creds_keys_clear(&found);
        c->ask_after_us = now_us + TRY_AGAIN_US;
        if (rc != 1 && !usable(c, now_us)) {
            return rc < 0 ? -1 : err_set(err, ERR_DENIED, "no AWS credentials (%.230s)", looked);
        }
    }
    *ret = (struct creds_view){.access_key = c->keys.access_key,
                               .secret_key = c->keys.secret_key,
                               .token = c->keys.token,
                               .expires_us = c->keys.expires_us,
                               .source = c->keys.source};
    return 0;
}

void creds_refresh(struct creds *c)
{
    c->refused = true;
    c->ask_after_us = 0;
}

static bool region_of_imds(struct creds *c)
{
    struct imds *imds = creds_context_imds(&c->context, NULL);
    struct buf text;
    bool found;

    buf_init(&text, sizeof c->region - 1);
    found = imds != NULL && imds_get(imds, "/latest/meta-data/placement/region",
                                     sizeof c->region - 1, &text, NULL) == 0;
    if (found) {
        memcpy(c->region, buf_data(&text), text.len);
        c->region[text.len] = '\0';
    }
    buf_clear(&text);
    return found;
}

static void find_region(struct creds *c)
{
    static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    struct creds_profile p;
    const char *name;

    for (size_t i = 0; i < 2; i++) {
        const char *v = creds_env_get(names[i]);

        if (*v != '\0' && strlen(v) < sizeof c->region) {
            (void)snprintf(c->region, sizeof c->region, "%s", v);
            return;
        }
    }
    if (creds_profile_load(&p, &name, NULL) == 0 && p.region[0] != '\0') {
        memcpy(c->region, p.region, sizeof c->region);
    }
    creds_profile_clear(&p);
    if (c->region[0] == '\0') {
        (void)region_of_imds(c);
    }
}

void creds_region(struct creds *c, char *ret, size_t size)
{
    if (!c->region_known) {
        find_region(c);
        c->region_known = true;
    }
    (void)snprintf(ret, size, "%s", c->region);
}
