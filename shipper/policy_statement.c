/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shipper/policy_private.h"

void policy_arns_begin(struct policy_arns *a)
{
    memset(a, 0, sizeof *a);
}

void policy_arns_add(struct json_doc *d, struct policy_arns *a, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (a->n == POLICY_ARNS) {
        d->failed = true;
        (void)err_set(d->err, ERR_LIMIT, "more than %d resources in one statement", POLICY_ARNS);
        return;
    }
    va_start(ap, fmt);
    n = vsnprintf(a->text[a->n], POLICY_ARN_MAX, fmt, ap);
    va_end(ap);
    if (n < 0 || n >= POLICY_ARN_MAX) {
        d->failed = true;
        (void)err_set(d->err, ERR_LIMIT, "a resource longer than %d bytes", POLICY_ARN_MAX);
        return;
    }
    a->list[a->n] = a->text[a->n];
    a->n++;
}

void policy_arns_objects(struct json_doc *d, struct policy_arns *a, const struct policy_names *n,
                         const char *below)
{
    policy_arns_add(d, a, "arn:%s:s3:::%s/%s%s%s", n->partition, n->bucket, n->prefix,
                    *n->prefix == '\0' ? "" : "/", below);
}

/* Question marks and no '*' for the day: '*' would match "/" too, and let "host=" stand further
 * down. */
#define DAY "dt=\?\?\?\?-\?\?-\?\?/"

void policy_arns_own(struct json_doc *d, struct policy_arns *a, const struct policy_names *n)
{
    static const char *const roads[] = {"packs/" DAY, "batches/" DAY, "keys/"};

    for (size_t i = 0; i < sizeof roads / sizeof roads[0]; i++) {
        char below[256];

        (void)snprintf(below, sizeof below, "%shost=%.160s/*", roads[i], n->host);
        policy_arns_objects(d, a, n, below);
    }
}

void policy_arns_recordings(struct json_doc *d, struct policy_arns *a, const struct policy_names *n)
{
    policy_arns_objects(d, a, n, "packs/*");
    policy_arns_objects(d, a, n, "batches/*");
    policy_arns_objects(d, a, n, "keys/*");
}

void policy_begin(struct json_doc *d, struct buf *ret, struct error *err)
{
    json_doc_begin(d, ret, err);
    json_doc_object(d, NULL);
    json_doc_text(d, "Version", "2012-10-17");
    json_doc_array(d, "Statement");
}

int policy_end(struct json_doc *d)
{
    json_doc_close(d);
    json_doc_close(d);
    return json_doc_end(d);
}

static void texts(struct json_doc *d, const char *key, const char *const *list)
{
    if (list == NULL || list[0] == NULL) {
        return;
    }
    if (list[1] == NULL) {
        json_doc_text(d, key, list[0]);
        return;
    }
    json_doc_array(d, key);
    for (size_t i = 0; list[i] != NULL; i++) {
        json_doc_text(d, NULL, list[i]);
    }
    json_doc_close(d);
}

/* Conditions with one operator stand side by side under it. */
static void conditions(struct json_doc *d, const struct policy_condition *c)
{
    if (c->op == NULL) {
        return;
    }
    json_doc_object(d, "Condition");
    while (c->op != NULL) {
        const char *op = c->op;

        json_doc_object(d, op);
        for (; c->op != NULL && strcmp(c->op, op) == 0; c++) {
            const char *const one[] = {c->value, NULL};

            texts(d, c->key, c->value != NULL ? one : c->values);
        }
        json_doc_close(d);
    }
    json_doc_close(d);
}

void policy_statement(struct json_doc *d, const struct policy_statement *s)
{
    json_doc_object(d, NULL);
    json_doc_text(d, "Sid", s->sid);
    json_doc_text(d, "Effect", s->deny ? "Deny" : "Allow");
    if (s->anybody) {
        json_doc_text(d, "Principal", "*");
    } else if (s->service != NULL) {
        json_doc_object(d, "Principal");
        json_doc_text(d, "Service", s->service);
        json_doc_close(d);
    }
    texts(d, "Action", s->actions);
    texts(d, "Resource", s->resources);
    texts(d, "NotResource", s->not_resources);
    conditions(d, s->conditions);
    json_doc_close(d);
}
