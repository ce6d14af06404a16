/* SPDX-License-Identifier: Apache-2.0 */
/* The host's journal: a session of kind `host`, one a boot, whose marks are what the writer itself
 * has to say.  It begins with the first of them; chained and shipped as any session is. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "common/utf8.h"
#include "storage/writer/writer_impl.h"

#define VERDICT_MAX 49152U
#define META        "journal" /* "BOOT ID": where this boot's is, or the last one's */

static int fill(struct writer *w, struct session_row *r, struct error *err)
{
    r->kind = strdup("host");
    r->host = strdup(w->host);
    r->user = strdup("ttytraild");
    r->title = strdup("journal of the host");
    r->tty = strdup("");
    r->command = strdup("");
    r->exit = strdup("");
    r->flags = strdup("");
    if (r->kind == NULL || r->host == NULL || r->user == NULL || r->title == NULL ||
        r->tty == NULL || r->command == NULL || r->exit == NULL || r->flags == NULL) {
        return err_sys(err, "allocate");
    }
    if (getrandom(r->id, sizeof r->id, 0) != (ssize_t)sizeof r->id) {
        return err_sys(err, "random numbers");
    }
    memcpy(r->epoch, w->epoch, sizeof r->epoch);
    r->uid = (int64_t)geteuid();
    r->started_us = clock_unix_us();
    chain_start(r->host, r->epoch, r->id, r->head);
    memcpy(r->tail_base, r->head, CHAIN_HASH);
    memcpy(r->writer_boot, w->self.boot, sizeof r->writer_boot);
    memcpy(r->recorder_boot, w->self.boot, sizeof r->recorder_boot);
    r->writer_pid = r->recorder_pid = w->self.pid;
    r->writer_start = r->recorder_start = w->self.start;
    return facts_put_text(&r->facts, "kind", "host", err);
}

static void take(struct writer *w, struct wsession *s)
{
    s->recorder = w->self;
    s->connected = true; /* its recorder is this process */
    writer_add_session(w, s);
    w->journal = s;
}

static int begin(struct writer *w, struct error *err)
{
    struct wsession *s = NULL;
    char id[33], text[80];

    if (wsession_new(&s, &w->cache_left, err) != 0) {
        return -1;
    }
    if (fill(w, &s->info, err) != 0 || store_begin(w->store, err) != 0) {
        wsession_free(s);
        return -1;
    }
    (void)snprintf(text, sizeof text, "%s %s", w->self.boot, io_hex(s->info.id, 16, id));
    if (store_session_insert(w->store, &s->info, err) != 0 ||
        store_meta_set(w->store, META, text, err) != 0 || store_commit(w->store, err) != 0) {
        store_rollback(w->store);
        wsession_free(s);
        return -1;
    }
    memcpy(s->hash, s->info.tail_base, CHAIN_HASH);
    take(w, s);
    return 0;
}

/* In a transaction of its own: nothing else is staged between turns. */
static int write_mark(struct writer *w, const char *text, struct error *err)
{
    struct wsession *s = w->journal;
    int64_t since = clock_unix_us() - s->info.started_us;
    uint64_t t = since > 0 ? (uint64_t)since : 0;

    if (store_begin(w->store, err) != 0) {
        return -1;
    }
    if (wsession_mark(s, w->store, t > s->last_t_us ? t : s->last_t_us, text, err) != 0 ||
        store_commit(w->store, err) != 0) {
        store_rollback(w->store);
        wsession_rolled_back(s);
        return -1;
    }
    wsession_committed(s);
    return 0;
}

void journal_say(struct writer *w, const char *fmt, ...)
{
    struct error err = {.kind = ERR_NONE};
    char text[2048], line[4096];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)log_escape(text, strlen(text), line, sizeof line);
    log_line(LOG_LEVEL_WARN, "%s", text);
    if ((w->journal == NULL && begin(w, &err) != 0) || write_mark(w, line, &err) != 0) {
        log_line(LOG_LEVEL_ERROR, "journal-failed why=\"%s\"", err.text);
    }
}

/* A line of JSON: printable, and nothing else is looked at here. */
static bool is_line(const uint8_t *p, size_t len)
{
    size_t at = 0;

    if (len < 2 || p[0] != '{' || p[len - 1] != '}') {
        return false;
    }
    while (at < len) {
        int n = utf8_length(p + at, len - at);

        if (n <= 0 || p[at] < 0x20) {
            return false;
        }
        at += (size_t)n;
    }
    return true;
}

int journal_verdict(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    struct buf text;
    int rc = -1;

    if (w->private) {
        return err_set(err, ERR_USAGE, "a private writer has no journal");
    }
    if (f->len > VERDICT_MAX || !is_line(f->body, f->len)) {
        return err_set(err, ERR_CORRUPT, "VERDICT of %lu bytes is no line of JSON",
                       (unsigned long)f->len);
    }
    buf_init(&text, VERDICT_MAX + 16);
    if (buf_puts(&text, "verdict ", err) == 0 && buf_append(&text, f->body, f->len, err) == 0 &&
        buf_text(&text, err) != NULL && (w->journal != NULL || begin(w, err) == 0)) {
        rc = write_mark(w, buf_text(&text, NULL), err);
    }
    buf_clear(&text);
    if (rc == 0) {
        peer_send(p, FRAME_DONE, NULL, 0);
    }
    return rc;
}

/* Its writer is gone: this one's, or ended where it was. */
static int adopt(struct writer *w, const uint8_t id[16], bool this_boot, struct error *err)
{
    struct wsession *s = NULL;
    struct store_process old = {.pid = 0};
    int rc;

    if (wsession_new(&s, &w->cache_left, err) != 0) {
        return -1;
    }
    rc = wsession_recover(s, w->store, id, err);
    if (rc != 1 || s->closed) {
        wsession_free(s);
        return rc < 0 ? -1 : 0;
    }
    memcpy(old.boot, s->info.writer_boot, sizeof old.boot);
    old.pid = s->info.writer_pid;
    old.start = s->info.writer_start;
    if (store_session_adopt(w->store, s->info.row, &w->self, &old, err) != 1) {
        wsession_free(s);
        return -1;
    }
    if (this_boot) {
        take(w, s);
        return 0;
    }
    writer_add_session(w, s);
    if (wsession_stage_close(s, w->store, SESSION_DONE, s->info.started_us + (int64_t)s->last_t_us,
                             err) != 0) {
        wsession_rolled_back(s);
        return -1;
    }
    wsession_committed(s);
    return 0;
}

void journal_load(struct writer *w)
{
    struct error err = {.kind = ERR_NONE};
    uint8_t id[16];
    struct buf b;
    int rc;

    buf_init(&b, 256);
    rc = store_meta_get(w->store, META, &b, &err);
    if (rc == 1) {
        const char *text = buf_text(&b, NULL), *blank = text == NULL ? NULL : strchr(text, ' ');

        if (blank != NULL && io_unhex(blank + 1, id, sizeof id) == 0) {
            rc = adopt(w, id, strncmp(text, w->self.boot, 32) == 0, &err);
        }
    }
    if (rc < 0) {
        log_line(LOG_LEVEL_ERROR, "journal-failed why=\"%s\"", err.text);
    }
    buf_clear(&b);
}
