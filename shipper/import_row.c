/* SPDX-License-Identifier: Apache-2.0 */
/* A session's row, from the manifest that was signed with it. */
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/field.h"
#include "shipper/import_impl.h"
#include "storage/wire/facts.h"

#define TEXT_MAX FACTS_MAX

struct search {
    const char *id;
    struct buf *ret;
    struct json *json;
    struct error *err;
};

static int is_it(void *user, const struct json_item *item)
{
    struct search *s = user;
    struct field_doc d = {s->json, item->value, item->value_len};
    char id[2 * CHAIN_ID + 1];

    if (strcmp(item->type, "object") != 0 || field_text(&d, "$.id", id, sizeof id, NULL) != 0 ||
        strcmp(id, s->id) != 0) {
        return 0;
    }
    return buf_append(s->ret, item->value, item->value_len, s->err) != 0 ? -1 : 1;
}

/* Absent and null are "". */
static int text(const struct field_doc *d, const char *path, char **ret, struct error *err)
{
    struct buf b;
    int rc;

    buf_init(&b, TEXT_MAX);
    rc = json_text(d->json, d->text, d->len, path, &b, err);
    if (rc >= 0) {
        *ret = strndup(b.len == 0 ? "" : (const char *)buf_data(&b), b.len);
        rc = *ret == NULL ? err_sys(err, "allocate") : 0;
    }
    buf_clear(&b);
    return rc;
}

/* The manifest has what the session said when it opened; flags that tell of this database's part in
 * it are not its own. */
static int take_flags(const struct field_doc *d, struct session_row *r, struct error *err)
{
    static const char *const ours[] = {"pruned", "imported"};
    struct buf all;
    char *flags = NULL, *at, *word, *save = NULL;
    int rc = text(d, "$.flags", &flags, err);

    buf_init(&all, TEXT_MAX);
    for (at = flags; rc == 0 && (word = strtok_r(at, " ", &save)) != NULL; at = NULL) {
        if (strcmp(word, ours[0]) != 0 && strcmp(word, ours[1]) != 0 &&
            (buf_puts(&all, word, err) != 0 || buf_putc(&all, ' ', err) != 0)) {
            rc = -1;
        }
    }
    if (rc == 0) {
        rc = buf_puts(&all, ours[1], err);
    }
    if (rc == 0) {
        r->flags = strndup((const char *)buf_data(&all), all.len);
        rc = r->flags == NULL ? err_sys(err, "allocate") : 0;
    }
    free(flags);
    buf_clear(&all);
    return rc;
}

struct facts_walk {
    struct buf *out;
    struct error *err;
};

static int add_fact(void *user, const struct json_item *item)
{
    struct facts_walk *w = user;

    return facts_put(w->out, item->key, item->value, item->value_len, w->err);
}

static int take_state(const struct field_doc *d, struct session_row *r, struct error *err)
{
    char state[8];

    if (field_text(d, "$.state", state, sizeof state, err) != 0) {
        return -1;
    }
    for (int s = SESSION_OPEN; s <= SESSION_CUT; s++) {
        if (strcmp(state, session_state_name((enum session_state)s)) == 0) {
            r->state = (enum session_state)s;
            return 0;
        }
    }
    return err_set(err, ERR_CORRUPT, "a session in no state that we know");
}

static int take_numbers(const struct field_doc *d, struct session_row *r, struct error *err)
{
    return field_int(d, "$.uid", INT64_MIN, &r->uid, err) != 0 ||
                   field_int(d, "$.started_us", INT64_MIN, &r->started_us, err) != 0 ||
                   field_int(d, "$.ended_us", INT64_MIN, &r->ended_us, err) != 0 ||
                   field_int(d, "$.cols", INT64_MIN, &r->cols, err) != 0 ||
                   field_int(d, "$.rows", INT64_MIN, &r->rows, err) != 0
               ? -1
               : 0;
}

static int take_texts(const struct field_doc *d, struct session_row *r, struct error *err)
{
    return text(d, "$.kind", &r->kind, err) != 0 || text(d, "$.host", &r->host, err) != 0 ||
                   text(d, "$.user", &r->user, err) != 0 ||
                   text(d, "$.title", &r->title, err) != 0 || text(d, "$.tty", &r->tty, err) != 0 ||
                   text(d, "$.command", &r->command, err) != 0 ||
                   text(d, "$.exit", &r->exit, err) != 0
               ? -1
               : 0;
}

int import_row_object(const struct field_doc *d, const uint8_t session[CHAIN_ID],
                      struct session_row *ret, struct error *err)
{
    struct facts_walk w = {&ret->facts, err};
    struct facts checked;

    memcpy(ret->id, session, CHAIN_ID);
    return field_hex(d, "$.epoch", ret->epoch, CHAIN_ID, err) != 0 ||
                   take_numbers(d, ret, err) != 0 || take_texts(d, ret, err) != 0 ||
                   take_state(d, ret, err) != 0 || take_flags(d, ret, err) != 0 ||
                   json_each(d->json, d->text, d->len, "$.facts", add_fact, &w, err) != 0 ||
                   facts_parse(buf_data(&ret->facts), ret->facts.len, &checked, err) != 0
               ? -1
               : 0;
}

int import_row(struct json *j, const char *line, size_t len, const uint8_t session[CHAIN_ID],
               struct session_row *ret, struct error *err)
{
    char id[2 * CHAIN_ID + 1];
    struct buf row;
    struct search s = {.id = io_hex(session, CHAIN_ID, id), .ret = &row, .json = j, .err = err};
    struct field_doc d = {.json = j};
    int rc;

    buf_init(&row, len);
    rc = json_each(j, line, len, "$.sessions", is_it, &s, err);
    if (rc == 0) {
        rc = err_set(err, ERR_CORRUPT, "its manifest has no row of it");
    }
    if (rc == 1) {
        d.text = (const char *)buf_data(&row);
        d.len = row.len;
        rc = import_row_object(&d, session, ret, err);
    }
    buf_clear(&row);
    return rc;
}

void import_row_values(const struct session_row *r, struct import_session *ret)
{
    *ret = (struct import_session){.id = r->id,
                                   .epoch = r->epoch,
                                   .host = r->host,
                                   .user = r->user,
                                   .kind = r->kind,
                                   .title = r->title,
                                   .tty = r->tty,
                                   .command = r->command,
                                   .state = session_state_name(r->state),
                                   .exit = r->exit,
                                   .flags = r->flags,
                                   .uid = r->uid,
                                   .cols = r->cols,
                                   .rows = r->rows,
                                   .began_us = r->started_us,
                                   .ended_us = r->ended_us,
                                   .facts = &r->facts};
}
