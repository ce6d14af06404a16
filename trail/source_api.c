/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/source_api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trail/cloudtrail.h"
#include "trail/record.h"
#include "trail/source_impl.h"

#define PAGES_MAX  20000U /* of one query: 50 events each */
#define ANSWER_MAX (32U << 20)
#define TOKEN_MAX  8192U

/* One attribute a query is all that the API takes. */
static const struct {
    const char *attribute, *value;
} asked[] = {
    {"EventSource", "ec2-instance-connect.amazonaws.com"},
    {"EventName", "StartSession"},
    {"EventName", "ResumeSession"},
    {"EventName", "TerminateSession"},
    {"EventName", "AssumeRole"},
    {"EventName", "AssumeRoleWithSAML"},
    {"EventName", "AssumeRoleWithWebIdentity"},
    {"EventName", "AssumeRoot"},
    {"EventName", "GetFederationToken"},
    {"EventName", "GetSessionToken"},
    {"EventName", "ConsoleLogin"},
};

struct run {
    const struct trail_api *a;
    struct cloudtrail *api;
    struct keeper keeper;
    struct json *json;
    struct buf body, answer, token, record;
    struct error *err;
    unsigned events; /* of a page */
};

static int take_event(void *user, const struct json_item *item)
{
    struct run *r = user;
    int found;

    r->events++;
    buf_reset(&r->record);
    found = json_text(r->keeper.json, item->value, item->value_len, "$.CloudTrailEvent", &r->record,
                      r->err);
    if (found < 0 && r->err->kind != ERR_CORRUPT && r->err->kind != ERR_LIMIT) {
        return -1;
    }
    r->keeper.stats->records++;
    if (found <= 0) {
        err_clear(r->err);
        r->keeper.stats->bad_records++;
        keeper_warn(&r->keeper, "%s: an event without its record is left out", r->keeper.object);
        return 0;
    }
    r->keeper.stats->bytes += r->record.len;
    return keeper_take(&r->keeper, (const char *)buf_data(&r->record), r->record.len);
}

static int write_body(struct run *r, const char *attribute, const char *value, int64_t from_us,
                      struct error *err)
{
    buf_reset(&r->body);
    if (buf_printf(&r->body, err,
                   "{\"LookupAttributes\":[{\"AttributeKey\":\"%s\",\"AttributeValue\":",
                   attribute) != 0 ||
        json_string(&r->body, value, err) != 0 ||
        buf_printf(&r->body, err,
                   "}],\"StartTime\":%" PRId64 ",\"EndTime\":%" PRId64 ",\"MaxResults\":50",
                   from_us / 1000000, r->a->to_us / 1000000) != 0) {
        return -1;
    }
    if (r->token.len > 0 &&
        (buf_puts(&r->body, ",\"NextToken\":", err) != 0 ||
         json_string_n(&r->body, buf_data(&r->token), r->token.len, err) != 0)) {
        return -1;
    }
    return buf_putc(&r->body, '}', err);
}

/* 1: there is another page. */
static int one_page(struct run *r, const char *attribute, const char *value, int64_t from_us)
{
    const char *body;
    int more;

    if (write_body(r, attribute, value, from_us, r->err) != 0 ||
        (body = buf_text(&r->body, r->err)) == NULL ||
        cloudtrail_call(r->api, "LookupEvents", body, &r->answer, r->err) != 0) {
        return -1;
    }
    r->events = 0;
    if (trail_store_begin(r->keeper.store, r->err) != 0) {
        return -1;
    }
    if (json_each(r->json, (const char *)buf_data(&r->answer), r->answer.len, "$.Events",
                  take_event, r, r->err) != 0) {
        trail_store_rollback(r->keeper.store);
        return -1;
    }
    buf_reset(&r->token);
    more = json_text(r->json, (const char *)buf_data(&r->answer), r->answer.len, "$.NextToken",
                     &r->token, r->err);
    if (more < 0 || trail_store_commit(r->keeper.store, r->err) != 0) {
        return -1;
    }
    if (r->a->progress != NULL) {
        r->a->progress(r->a->user, r->keeper.stats);
    }
    return more;
}

static int query(struct run *r, const char *attribute, const char *value)
{
    char place[160], text[32];
    int64_t from_us = r->a->from_us, last;
    unsigned pages = 0;
    int rc;

    (void)snprintf(place, sizeof place, "api/%s/%s=%.64s", r->a->region, attribute, value);
    if (trail_store_cursor(r->keeper.store, place, text, sizeof text, r->err) != 0) {
        return -1;
    }
    last = strtoll(text, NULL, 10);
    from_us = last > from_us ? last : from_us;
    buf_reset(&r->token);
    r->keeper.stats->places++;
    do {
        rc = one_page(r, attribute, value, from_us);
    } while (rc == 1 && ++pages < PAGES_MAX);
    if (rc != 0) {
        return rc < 0 ? err_wrap(r->err, "events of %s", value)
                      : err_set(r->err, ERR_LIMIT, "events of %s: more than %u pages", value,
                                PAGES_MAX);
    }
    (void)snprintf(text, sizeof text, "%" PRId64, r->a->to_us - TRAIL_REREAD_US);
    return trail_store_set_cursor(r->keeper.store, place, text, r->err);
}

static int query_all(struct run *r)
{
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        if (query(r, asked[i].attribute, asked[i].value) != 0) {
            return -1;
        }
    }
    /* What the instance did with its role: the role's session is named as the instance. */
    for (size_t i = 0; i < r->a->n_hosts; i++) {
        if ((strncmp(r->a->hosts[i], "i-", 2) == 0 || strncmp(r->a->hosts[i], "mi-", 3) == 0) &&
            (query(r, "Username", r->a->hosts[i]) != 0 ||
             query(r, "ResourceName", r->a->hosts[i]) != 0)) {
            return -1;
        }
    }
    return 0;
}

static void init_bufs(struct run *r)
{
    buf_init(&r->body, 4 * TOKEN_MAX);
    buf_init(&r->answer, ANSWER_MAX);
    buf_init(&r->token, TOKEN_MAX);
    buf_init(&r->record, RECORD_MAX);
}

static void clear(struct run *r)
{
    cloudtrail_close(r->api);
    keeper_close(&r->keeper);
    json_close(r->json);
    buf_clear(&r->body);
    buf_clear(&r->answer);
    buf_clear(&r->token);
    buf_clear(&r->record);
    free(r);
}

int trail_api_read(const struct trail_api *a, struct trail_store *store,
                   struct trail_read_stats *ret, struct error *err)
{
    const struct cloudtrail_config config = {.region = a->region,
                                             .endpoint = a->endpoint,
                                             .ca_file = a->ca_file,
                                             .creds = a->creds,
                                             .every_us = a->every_us};
    struct error own = {.kind = ERR_NONE};
    struct run *r = calloc(1, sizeof *r);
    char object[80];
    int rc = -1;

    memset(ret, 0, sizeof *ret);
    if (r == NULL) {
        return err_sys(err, "allocate");
    }
    (void)snprintf(object, sizeof object, "api:%s", a->region == NULL ? "" : a->region);
    r->a = a;
    r->err = err == NULL ? &own : err;
    r->keeper = (struct keeper){.store = store,
                                .stats = ret,
                                .warn = a->warn,
                                .user = a->user,
                                .object = object,
                                .err = r->err};
    init_bufs(r);
    if (cloudtrail_open(&r->api, &config, r->err) == 0 && json_open(&r->json, r->err) == 0 &&
        keeper_open(&r->keeper, a->hosts, a->n_hosts, r->err) == 0) {
        rc = query_all(r);
    }
    clear(r);
    return rc;
}
