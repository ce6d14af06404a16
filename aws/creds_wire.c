/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources are asked with: the network, the files, the metadata service. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "aws/creds_private.h"
#include "common/clock.h"

#define MAX_TRIES 3
#define WAIT_MS   100

static struct http *open_wire(struct creds_context *x, bool direct, struct error *err)
{
    struct http **wire = direct ? &x->direct : &x->outside;
    struct http_config config = {.no_proxy = direct};
    const char *ca = creds_env_get("AWS_CA_BUNDLE");

    if (*wire == NULL) {
        if (*ca == '\0') {
            ca = creds_files_get(creds_context_profile(x), "ca_bundle");
        }
        if (strlen(ca) >= sizeof x->ca_file) {
            (void)err_set(err, ERR_LIMIT, "an overlong AWS_CA_BUNDLE");
            return NULL;
        }
        memcpy(x->ca_file, ca, strlen(ca) + 1);
        config.ca_file = x->ca_file;
        (void)http_open(wire, &config, err);
    }
    return *wire;
}

static int send_once(struct creds_context *x, bool direct, const struct http_request *theirs,
                     struct http_response *ret, struct error *err)
{
    struct http_request req = *theirs;
    uint64_t now = clock_boot_us();
    struct http *wire;

    if (now >= x->until_us) {
        return err_set(err, ERR_RETRY, "no answer in time");
    }
    if (req.total_timeout_ms == 0 || req.total_timeout_ms > (x->until_us - now) / 1000 + 1) {
        req.total_timeout_ms = (unsigned)((x->until_us - now) / 1000 + 1);
    }
    if (x->send != NULL) {
        return x->send(x->user, &req, ret, err);
    }
    wire = open_wire(x, direct, err);
    if (wire == NULL) {
        return -1;
    }
    /* Denied by us: a certificate that is not trusted. */
    return http_send(wire, &req, ret, err) == 0 ? 0
           : err != NULL && err->kind == ERR_DENIED
               ? err_wrap(err, "does AWS_CA_BUNDLE name its CA?")
               : -1;
}

int creds_wire_send(struct creds_context *x, bool direct, const struct http_request *req,
                    struct http_response *ret, struct error *err)
{
    struct error why = {.kind = ERR_NONE};

    for (unsigned tries = 1;; tries++) {
        int rc = send_once(x, direct, req, ret, &why);
        bool busy = rc == 0 ? ret->head.status / 100 == 5 || ret->head.status == 429
                            : why.kind == ERR_RETRY;

        if (!busy || tries == MAX_TRIES || clock_boot_us() >= x->until_us) {
            if (rc != 0 && err != NULL) {
                *err = why;
            }
            return rc;
        }
        (void)poll(NULL, 0, WAIT_MS * (int)tries);
    }
}

/* imds.c tries again by itself. */
static int imds_send(void *user, const struct http_request *req, struct http_response *ret,
                     struct error *err)
{
    return send_once(user, true, req, ret, err);
}

struct imds *creds_context_imds(struct creds_context *x, struct error *err)
{
    struct imds_config config = {.send = imds_send, .user = x};
    const struct creds_section *profile;

    if (x->imds != NULL) {
        return x->imds;
    }
    profile = creds_context_profile(x);
    config.endpoint = creds_files_get(profile, "ec2_metadata_service_endpoint");
    config.mode = creds_files_get(profile, "ec2_metadata_service_endpoint_mode");
    return imds_open_with(&x->imds, &config, err) == 0 ? x->imds : NULL;
}

const struct creds_files *creds_context_files(struct creds_context *x, struct error *err)
{
    if (!x->files_loaded) {
        if (creds_files_load(&x->files, err) != 0) {
            creds_files_clear(&x->files);
            return NULL;
        }
        x->files_loaded = true;
    }
    return &x->files;
}

const struct creds_section *creds_context_profile(struct creds_context *x)
{
    const struct creds_files *f = creds_context_files(x, NULL);
    bool named;

    return f == NULL ? NULL : creds_files_find(f, CREDS_INI_PROFILE, creds_files_profile(&named));
}

static void region_of_imds(struct creds_context *x, char *ret, size_t size)
{
    struct imds *imds = creds_context_imds(x, NULL);
    struct buf text;

    buf_init(&text, size - 1);
    if (imds != NULL &&
        imds_get(imds, "/latest/meta-data/placement/region", size - 1, &text, NULL) == 0) {
        (void)creds_put(ret, size, buf_data(&text), text.len, "region", NULL);
    }
    buf_clear(&text);
}

void creds_context_region(struct creds_context *x, char *ret, size_t size)
{
    const char *const said[] = {creds_env_get("AWS_REGION"), creds_env_get("AWS_DEFAULT_REGION"),
                                creds_files_get(creds_context_profile(x), "region")};

    ret[0] = '\0';
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (*said[i] != '\0' &&
            creds_put(ret, size, said[i], strlen(said[i]), "region", NULL) == 0) {
            return;
        }
    }
    region_of_imds(x, ret, size);
}

void creds_context_forget(struct creds_context *x)
{
    creds_files_clear(&x->files);
    x->files_loaded = false;
}

void creds_context_close(struct creds_context *x)
{
    imds_close(x->imds);
    http_close(x->direct);
    http_close(x->outside);
    creds_context_forget(x);
}
