/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/subject_db.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "storage/wire/facts.h"
#include "storage/wire/witness.h"

#define TEXT 8400

/* Facts of a connection, or those that a session has of it. */
struct told {
    struct facts facts;
    const char *prefix; /* "", "conn." */
};

static char *fact(const struct told *f, const char *name, char *ret, size_t size)
{
    char key[80];

    (void)snprintf(key, sizeof key, "%s%s", f->prefix, name);
    return facts_text(&f->facts, key, ret, size);
}

/* "ADDRESS PORT ADDRESS PORT", as sshd has it. */
static void take_peers(const char *text, struct subject *s)
{
    (void)sscanf(text, "%63s %7s %63s %7s", s->client_address, s->client_port, s->server_address,
                 s->server_port);
}

static void take_key(const char *info, struct subject *s)
{
    struct witness_auth auth;
    char base64[WITNESS_BLOB_MAX / 3 * 4 + 8];

    if (!witness_auth(info, strlen(info), &auth)) {
        return;
    }
    (void)snprintf(s->method, sizeof s->method, "%s", auth.method);
    if (auth.blob_len > 0) {
        (void)EVP_EncodeBlock((unsigned char *)base64, auth.blob, (int)auth.blob_len);
        (void)snprintf(s->key, sizeof s->key, "%s %s", auth.key_type, base64);
    }
}

static bool is_serial(const char *tty)
{
    return strncmp(tty, "ttyS", 4) == 0 || strncmp(tty, "/dev/ttyS", 9) == 0;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* What the host knows of itself, and found out about the connection. */
static void take_host(const struct told *f, const struct subject_config *c, struct subject *s)
{
    static const struct {
        const char *name;
        size_t at, size, from;
    } of[] = {
        {"instance.id", offsetof(struct subject, instance), sizeof s->instance,
         offsetof(struct subject_config, instance)},
        {"instance.account", offsetof(struct subject, account), sizeof s->account,
         offsetof(struct subject_config, account)},
        {"instance.region", offsetof(struct subject, region), sizeof s->region,
         offsetof(struct subject_config, region)},
        {"instance.private_ip", offsetof(struct subject, private_ip), sizeof s->private_ip,
         offsetof(struct subject_config, private_ip)},
    };

    (void)snprintf(s->host, sizeof s->host, "%s", c->host);
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        char *to = (char *)s + of[i].at;

        if (*fact(f, of[i].name, to, of[i].size) == '\0') {
            (void)snprintf(to, of[i].size, "%s", (const char *)c + of[i].from);
        }
    }
}

static void take_evidence(const struct told *f, struct subject *s)
{
    char text[TEXT];

    (void)fact(f, "ssm_session", s->ssm_session, sizeof s->ssm_session);
    (void)fact(f, "ssm_owner", s->ssm_owner, sizeof s->ssm_owner);
    (void)fact(f, "cert_id", s->cert_key_id, sizeof s->cert_key_id);
    (void)fact(f, "cert_serial", s->cert_serial, sizeof s->cert_serial);
    (void)fact(f, "cert_ca", s->cert_ca, sizeof s->cert_ca);
    /* Only who looked and found nothing says no. */
    s->key_standing = strcmp(fact(f, "key_standing", text, sizeof text), "no") != 0;
    s->clock_error_us = facts_int(&f->facts, "clock_error_us", 0);
}

static void take_way(const struct told *f, const char *service, const char *tty, struct subject *s)
{
    char serial[64];

    if (strcmp(service, "sshd") == 0) {
        s->way = s->ssm_session[0] != '\0' && is_loopback(s->client_address) ? SUBJECT_SSM_SSH
                                                                             : SUBJECT_SSH;
    } else if (strcmp(service, "login") == 0 &&
               (is_serial(tty) || *fact(f, "serial", serial, sizeof serial) != '\0')) {
        s->way = SUBJECT_SERIAL;
    } else {
        s->way = SUBJECT_LOCAL;
    }
}

static void of_connection(const struct connection_row *row, const struct subject_config *c,
                          struct subject *s)
{
    const struct told f = {{.bytes = buf_data(&row->facts), .len = row->facts.len}, ""};
    char text[TEXT], service[64], tty[64];

    memset(s, 0, sizeof *s);
    memcpy(s->id, row->id, sizeof s->id);
    s->has_connection = true;
    s->opened_us = row->opened_us;
    s->closed_us = row->closed_us;
    (void)snprintf(s->class, sizeof s->class, "%s", row->class);
    take_host(&f, c, s);
    (void)fact(&f, "pam_user", s->os_user, sizeof s->os_user);
    take_peers(fact(&f, "ssh_connection", text, sizeof text), s);
    take_key(fact(&f, "ssh_auth_info", text, sizeof text), s);
    s->key_from_witness = s->key[0] != '\0';
    take_evidence(&f, s);
    take_way(&f, fact(&f, "pam_service", service, sizeof service),
             fact(&f, "pam_tty", tty, sizeof tty), s);
}

void subject_of_session(const struct session_row *row, const struct subject_config *c,
                        struct subject *s)
{
    const struct facts facts = {.bytes = buf_data(&row->facts), .len = row->facts.len};
    const struct told own = {facts, ""}, conn = {facts, "conn."};
    char text[TEXT], way[32], id[40];

    memset(s, 0, sizeof *s);
    facts_text(&facts, "conn.id", id, sizeof id);
    s->has_connection = strlen(id) == 32 && io_unhex(id, s->id, 16) == 0;
    if (!s->has_connection) {
        memcpy(s->id, row->id, sizeof s->id);
    }
    s->opened_us = facts_int(&facts, "conn.opened_us", row->started_us);
    s->closed_us = row->ended_us;
    (void)snprintf(s->os_user, sizeof s->os_user, "%s", row->user);
    take_host(&own, c, s);
    facts_text(&facts, "way_in", way, sizeof way);
    take_evidence(s->has_connection ? &conn : &own, s);
    take_peers(fact(&conn, "ssh_connection", text, sizeof text), s);
    if (s->client_address[0] == '\0') {
        take_peers(facts_text(&facts, "env.ssh_connection", text, sizeof text), s);
    }
    take_key(fact(&conn, "ssh_auth_info", text, sizeof text), s);
    s->key_from_witness = s->key[0] != '\0';
    s->way = strcmp(way, "ssm") == 0 ? SUBJECT_SSM
             : is_serial(row->tty)   ? SUBJECT_SERIAL
             : s->client_address[0] != '\0' && strcmp(way, "su") != 0 && strcmp(way, "sudo") != 0 &&
                     strcmp(way, "record") != 0
                 ? SUBJECT_SSH
                 : SUBJECT_LOCAL;
    s->sessions = 1;
    memcpy(s->session[0], row->id, 16);
}

/* ---- both, joined ---- */

struct known {
    uint8_t subject[16], session[16];
};

struct walk {
    struct reader *r;
    const struct subject_config *config;
    struct known *known; /* sessions that hang on connections, by subject */
    size_t n, cap;
    struct subject *subject;
    int (*cb)(void *user, const struct subject *s);
    void *user;
    struct error *err;
};

static int by_subject(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct known));
}

static int note_session(void *user, const struct session_row *row)
{
    struct walk *w = user;
    const struct facts f = {.bytes = buf_data(&row->facts), .len = row->facts.len};
    char id[40];

    if (strlen(facts_text(&f, "conn.id", id, sizeof id)) != 32) {
        return 0;
    }
    if (w->n == w->cap) {
        size_t cap = w->cap == 0 ? 256 : w->cap * 2;
        struct known *more = reallocarray(w->known, cap, sizeof *more);

        if (more == NULL) {
            return err_sys(w->err, "note sessions");
        }
        w->known = more;
        w->cap = cap;
    }
    if (io_unhex(id, w->known[w->n].subject, 16) == 0) {
        memcpy(w->known[w->n++].session, row->id, 16);
    }
    return 0;
}

static void add_sessions(const struct walk *w, struct subject *s)
{
    size_t low = 0, high = w->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (memcmp(w->known[mid].subject, s->id, 16) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    for (; low < w->n && memcmp(w->known[low].subject, s->id, 16) == 0; low++) {
        if (s->sessions < SUBJECT_SESSIONS) {
            memcpy(s->session[s->sessions], w->known[low].session, 16);
        }
        s->sessions++;
    }
}

static bool too_old(const struct walk *w, int64_t opened_us, int64_t closed_us)
{
    return opened_us < w->config->since_us && closed_us != 0 && closed_us < w->config->since_us;
}

static int on_connection(void *user, const struct connection_row *row)
{
    struct walk *w = user;

    if (too_old(w, row->opened_us, row->closed_us)) {
        return 0;
    }
    of_connection(row, w->config, w->subject);
    add_sessions(w, w->subject);
    return w->cb(w->user, w->subject);
}

static int on_session(void *user, const struct session_row *row)
{
    struct walk *w = user;

    if (strcmp(row->kind, "host") == 0 || session_row_imported(row) ||
        too_old(w, row->started_us, row->ended_us)) {
        return 0;
    }
    subject_of_session(row, w->config, w->subject);
    return w->subject->has_connection ? 0 : w->cb(w->user, w->subject);
}

int subject_db_each(struct reader *r, const struct subject_config *c,
                    int (*cb)(void *user, const struct subject *s), void *user, struct error *err)
{
    struct walk w = {.r = r, .config = c, .cb = cb, .user = user, .err = err};
    int rc;

    w.subject = malloc(sizeof *w.subject);
    if (w.subject == NULL) {
        return err_sys(err, "allocate");
    }
    rc = reader_sessions(r, note_session, &w, err);
    if (rc == 0 && w.n > 0) {
        qsort(w.known, w.n, sizeof *w.known, by_subject);
    }
    rc = rc == 0 ? reader_connections(r, false, on_connection, &w, err) : rc;
    rc = rc == 0 ? reader_sessions(r, on_session, &w, err) : rc;
    free(w.known);
    free(w.subject);
    return rc;
}
