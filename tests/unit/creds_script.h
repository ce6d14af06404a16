/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and answers of a case, in their order, instead of a network: what struct creds is opened
 * over.
 */
#ifndef TTYTRAIL_TESTS_UNIT_CREDS_SCRIPT_H
#define TTYTRAIL_TESTS_UNIT_CREDS_SCRIPT_H

#include "tests/unit/creds_data.h"

#include "aws/creds_private.h"

#define SCRIPT_MAX 32

struct script_step {
    char *method, *uri, *reply, *date, *doc; /* doc: {"has":[...],"lacks":[...]}, or NULL */
    int status;
};

struct script {
    struct script_step steps[SCRIPT_MAX];
    size_t count, at;
    bool repeat; /* the last answer may be given again */
    char first_url[512];
};

static inline void script_clear(struct script *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->steps[i].method);
        free(s->steps[i].uri);
        free(s->steps[i].reply);
        free(s->steps[i].date);
        free(s->steps[i].doc);
    }
    memset(s, 0, sizeof *s);
}

/* "@DIR@" in a case is the test's directory. */
static inline char *script_place(const char *text)
{
    struct buf b;
    const char *mark;
    char *copy;

    buf_init(&b, DATA_MAX);
    while ((mark = strstr(text, "@DIR@")) != NULL) {
        assert_int_equal(buf_append(&b, text, (size_t)(mark - text), NULL), 0);
        assert_int_equal(buf_puts(&b, data_dir, NULL), 0);
        text = mark + 5;
    }
    assert_int_equal(buf_puts(&b, text, NULL), 0);
    copy = check_copy(buf_text(&b, NULL));
    buf_clear(&b);
    return copy;
}

static inline int script_has(void *user, const struct json_item *item)
{
    if (strstr(user, item->value) == NULL) {
        fail_msg("no '%s' in\n%s", item->value, (const char *)user);
    }
    return 0;
}

static inline int script_lacks(void *user, const struct json_item *item)
{
    if (strstr(user, item->value) != NULL) {
        fail_msg("'%s' in\n%s", item->value, (const char *)user);
    }
    return 0;
}

/* The request as lines, an empty one, and the body. */
static inline void script_check(const struct script_step *step, const struct http_request *req)
{
    struct buf b;
    char *text;

    buf_init(&b, DATA_MAX);
    (void)buf_printf(&b, NULL, "%s %s\n", req->method, req->url);
    for (size_t i = 0; i < req->header_count; i++) {
        (void)buf_printf(&b, NULL, "%s\n", req->headers[i]);
    }
    (void)buf_putc(&b, '\n', NULL);
    (void)buf_append(&b, req->body, req->body_len, NULL);
    (void)buf_putc(&b, '\n', NULL);
    text = check_copy(buf_text(&b, NULL));
    data_each(step->doc, "$.has", script_has, text);
    data_each(step->doc, "$.lacks", script_lacks, text);
    free(text);
    buf_clear(&b);
}

static inline int script_send(void *user, const struct http_request *req, struct http_response *ret,
                              struct error *err)
{
    struct script *s = user;
    const struct script_step *step = &s->steps[s->at];
    char line[64];
    size_t n;

    if (s->first_url[0] == '\0') {
        (void)snprintf(s->first_url, sizeof s->first_url, "%s", req->url);
    }
    assert_true(req->total_timeout_ms > 0 && req->total_timeout_ms <= CREDS_PATIENCE_US / 1000);
    assert_true(req->connect_timeout_ms > 0);
    if (s->at == s->count && s->repeat && s->count > 0) {
        step--;
    } else if (s->at == s->count) {
        fail_msg("one request too many: %s %s", req->method, req->url);
    } else {
        s->at++;
    }
    assert_string_equal(req->method, step->method);
    assert_string_equal(req->url, step->uri);
    if (step->doc != NULL) {
        script_check(step, req);
    }
    http_head_reset(&ret->head);
    buf_reset(&ret->body);
    (void)snprintf(line, sizeof line, "HTTP/1.1 %d X", step->status);
    assert_int_equal(http_head_line(&ret->head, line, strlen(line), err), 0);
    if (*step->date != '\0') {
        (void)snprintf(line, sizeof line, "Date: %s", step->date);
        assert_int_equal(http_head_line(&ret->head, line, strlen(line), err), 0);
    }
    n = strlen(step->reply);
    return buf_append(step->status / 100 == 2 ? req->sink : &ret->body, step->reply, n, err);
}

#endif
