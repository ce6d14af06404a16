/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: what the witness tells (root alone is believed), which sessions hang on them, and
 * which have none.  docs/DESIGN.md section 11, "Witness". */
#include "storage/wire/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

#define ANCESTORS_MOST  64
#define UNRECORDED_US   (10 * UINT64_C(1000000))
#define LOOK_US         (30 * UINT64_C(1000000))
#define CONNS_MOST      16384
#define WITNESS_MAX     24576U /* of facts: the recorder's own have to fit beside them */
#define RECORDER_LEAVES (FACTS_MAX - WITNESS_MAX - 8192U)

static void add(struct writer *w, struct wconn *c)
{
    c->since_us = clock_boot_us();
    c->next = w->conns;
    w->conns = c;
}

static void drop(struct writer *w, struct wconn *c)
{
    struct wconn **at = &w->conns;

    while (*at != NULL && *at != c) {
        at = &(*at)->next;
    }
    if (*at == c) {
        *at = c->next;
    }
    connection_row_clear(&c->info);
    free(c);
}

void witness_forget(struct writer *w)
{
    while (w->conns != NULL) {
        drop(w, w->conns);
    }
}

static struct wconn *find(struct writer *w, int64_t pid, int64_t start)
{
    struct wconn *c = w->conns;

    while (c != NULL && (c->info.monitor_pid != pid || c->info.monitor_start != start)) {
        c = c->next;
    }
    return c;
}

/* ---- what there is to say of one ---- */

static void text_of(const struct wconn *c, const char *key, char *ret, size_t size)
{
    struct facts f = {.bytes = buf_data(&c->info.facts), .len = c->info.facts.len};

    (void)facts_text(&f, key, ret, size);
    for (char *p = ret; *p != '\0'; p++) {
        *p = *p == '"' ? '\'' : *p;
    }
}

/* What can be read out of what sshd said, as facts of their own. */
static int put_derived(struct buf *out, const struct facts *f, struct error *err)
{
    struct witness_auth auth;
    struct witness_peer peer;
    const uint8_t *value;
    uint8_t hash[CHAIN_HASH];
    char print[52];
    size_t len;

    if (facts_get(f, "ssh_connection", &value, &len) &&
        witness_peer((const char *)value, len, &peer) &&
        (facts_put_text(out, "address", peer.address, err) != 0 ||
         facts_put_text(out, "port", peer.port, err) != 0)) {
        return -1;
    }
    if (!facts_get(f, "ssh_auth_info", &value, &len) ||
        !witness_auth((const char *)value, len, &auth)) {
        return 0;
    }
    if (facts_put_text(out, "auth", auth.method, err) != 0 || auth.blob_len == 0) {
        return auth.blob_len == 0 ? 0 : -1;
    }
    chain_sha256(auth.blob, auth.blob_len, hash);
    witness_fingerprint(hash, print);
    return facts_put_text(out, "key", print, err) != 0
               ? -1
               : facts_put_text(out, "key_type", auth.key_type, err);
}

static void tell(struct writer *w, const struct wconn *c)
{
    char id[33], user[64], service[32], address[64], port[8], key[64], auth[32];

    text_of(c, "pam_user", user, sizeof user);
    text_of(c, "pam_service", service, sizeof service);
    text_of(c, "address", address, sizeof address);
    text_of(c, "port", port, sizeof port);
    text_of(c, "key", key, sizeof key);
    text_of(c, "auth", auth, sizeof auth);
    journal_say(w,
                "connection-unrecorded class=%s id=%s user=\"%s\" service=\"%s\" address=%s "
                "port=%s auth=%s key=%s monitor=%lld opened_us=%lld",
                c->info.class, io_hex(c->info.id, sizeof c->info.id, id), user, service, address,
                port, auth, key, (long long)c->info.monitor_pid, (long long)c->info.opened_us);
}

/* ---- coming and going ---- */

static int open_one(struct writer *w, const struct facts *f, struct error *err)
{
    static const char *const ours[] = {"address", "port", "auth", "key", "key_type"};
    struct wconn *c;
    const uint8_t *value;
    size_t len, n = 0;

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (facts_get(f, ours[i], &value, &len)) {
            return err_set(err, ERR_CORRUPT, "a witness draws no conclusions");
        }
    }
    for (c = w->conns; c != NULL; c = c->next) {
        n++;
    }
    c = n < CONNS_MOST ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
        return err_set(err, ERR_LIMIT, "%zu connections are open", n);
    }
    connection_row_init(&c->info);
    memcpy(c->info.boot, w->self.boot, sizeof c->info.boot);
    c->info.monitor_pid = facts_int(f, "monitor", 0);
    c->info.monitor_start = facts_int(f, "monitor_began", 0);
    c->info.opened_us = clock_unix_us();
    if (getrandom(c->info.id, sizeof c->info.id, 0) != (ssize_t)sizeof c->info.id ||
        buf_append(&c->info.facts, f->bytes, f->len, err) != 0 ||
        put_derived(&c->info.facts, f, err) != 0 ||
        store_connection_insert(w->store, &c->info, err) != 0) {
        connection_row_clear(&c->info);
        free(c);
        return -1;
    }
    add(w, c);
    return 0;
}

static void set_class(struct writer *w, struct wconn *c, const char *class)
{
    char ssh[8];

    if (c->info.sessions > 0 || c->info.class[0] != '\0' ||
        store_connection_class(w->store, c->info.row, class, NULL) != 0) {
        return;
    }
    (void)snprintf(c->info.class, sizeof c->info.class, "%s", class);
    /* Ways in from elsewhere: what su, sudo or cron open begins on this host. */
    text_of(c, "ssh_connection", ssh, sizeof ssh);
    if (ssh[0] != '\0') {
        tell(w, c);
    }
}

static void close_one(struct writer *w, struct wconn *c)
{
    set_class(w, c, "none");
    if (store_connection_close(w->store, c->info.row, clock_unix_us(), NULL) == 0) {
        drop(w, c);
    }
}

int witness_take(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    struct facts facts;
    struct wconn *c;
    char type[32], boot[33];
    int64_t pid, start;

    if (w->private || p->uid != 0) {
        return err_set(err, ERR_DENIED, "the witness is root");
    }
    if (opening_version(f, err) != 0 || facts_parse(f->body + 4, f->len - 4, &facts, err) != 0) {
        return -1;
    }
    facts_text(&facts, "pam_type", type, sizeof type);
    facts_text(&facts, "boot", boot, sizeof boot);
    pid = facts_int(&facts, "monitor", 0);
    start = facts_int(&facts, "monitor_began", 0);
    if (f->len > WITNESS_MAX || pid <= 0 || start <= 0 || strcmp(boot, w->self.boot) != 0) {
        return err_set(err, ERR_CORRUPT, "the witness names no process of this boot");
    }
    c = find(w, pid, start);
    if (strcmp(type, "close_session") == 0) {
        if (c != NULL) {
            close_one(w, c);
        }
    } else if (strcmp(type, "open_session") != 0) {
        return err_set(err, ERR_CORRUPT, "the witness tells of no session");
    } else if (c == NULL && open_one(w, &facts, err) != 0) {
        return -1;
    }
    peer_send(p, FRAME_WITNESSED, NULL, 0);
    return 0;
}

void witness_load(struct writer *w)
{
    int64_t after = 0;
    int rc = 1;

    while (rc == 1) {
        struct wconn *c = calloc(1, sizeof *c);

        if (c == NULL) {
            return;
        }
        connection_row_init(&c->info);
        rc = store_connection_open(w->store, after, &c->info, NULL);
        after = c->info.row;
        if (rc != 1) {
            connection_row_clear(&c->info);
            free(c);
        } else {
            add(w, c);
        }
    }
}

/* ---- which session is whose ---- */

/* The nearest connection among the ancestors.  A parent that began after its child is another
 * process of the same number; a recorder that is gone meanwhile has no ancestors at all. */
static struct wconn *nearest(struct writer *w, const struct peer *p)
{
    pid_t pid = p->pid;
    uint64_t start = p->start;
    struct wconn *c = NULL;

    for (int i = 0; i < ANCESTORS_MOST && c == NULL && w->conns != NULL; i++) {
        pid_t parent = clock_process_parent(pid, start);
        uint64_t began = parent > 0 ? clock_process_start(parent) : 0;

        if (began == 0 || began > start) {
            return NULL;
        }
        c = find(w, parent, (int64_t)began);
        pid = parent;
        start = began;
    }
    return c != NULL && clock_process_start(p->pid) == p->start ? c : NULL;
}

int witness_link(struct writer *w, const struct peer *p, struct session_row *row,
                 struct wconn **ret, struct error *err)
{
    struct wconn *c = w->private ? NULL : nearest(w, p);
    const uint8_t *value;
    struct facts f;
    char key[65], name[80], id[33];
    size_t at = 0, len;

    *ret = c;
    if (c == NULL) {
        return 0;
    }
    if (row->facts.len > RECORDER_LEAVES) {
        return err_set(err, ERR_LIMIT, "facts of %zu bytes leave no room for the witness's",
                       row->facts.len);
    }
    f = (struct facts){.bytes = buf_data(&c->info.facts), .len = c->info.facts.len};
    while (facts_next(&f, &at, key, &value, &len)) {
        (void)snprintf(name, sizeof name, "conn.%s", key);
        if (strlen(name) <= 64 && facts_put(&row->facts, name, value, len, err) != 0) {
            return -1;
        }
    }
    if (facts_put_text(&row->facts, "conn.id", io_hex(c->info.id, 16, id), err) != 0 ||
        facts_put_int(&row->facts, "conn.opened_us", c->info.opened_us, err) != 0) {
        return -1;
    }
    return facts_put_text(&row->facts, "conn.source", "witness", err);
}

int witness_linked(struct writer *w, struct wconn *c, const char *way_in, struct error *err)
{
    const char *class = strcmp(way_in, "login") == 0       ? "shell"
                        : strcmp(way_in, "subsystem") == 0 ? "subsystem"
                                                           : "exec";

    return store_connection_session(w->store, c->info.row, class, err);
}

/* ---- those without ---- */

/* The first child of a process: 0, it has none. */
static pid_t first_child(pid_t pid)
{
    char path[96], text[32] = "";
    FILE *in;

    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
    in = fopen(path, "re");
    if (in == NULL) {
        return 0;
    }
    if (fgets(text, sizeof text, in) == NULL) {
        text[0] = '\0';
    }
    (void)fclose(in);
    return (pid_t)strtol(text, NULL, 10);
}

/* Whether anything runs below sshd's process for the user, which is the monitor's child; for root
 * it is the monitor itself. */
static bool runs_something(const struct wconn *c)
{
    pid_t child = first_child((pid_t)c->info.monitor_pid);
    char user[64];

    text_of(c, "pam_user", user, sizeof user);
    return child > 0 && (strcmp(user, "root") == 0 || first_child(child) > 0);
}

void witness_tick(struct writer *w, uint64_t now)
{
    bool look = now >= w->conns_at_us;
    struct wconn *next;

    for (struct wconn *c = w->conns; c != NULL; c = next) {
        next = c->next;
        if (look &&
            (strcmp(c->info.boot, w->self.boot) != 0 ||
             !clock_process_alive((pid_t)c->info.monitor_pid, (uint64_t)c->info.monitor_start))) {
            close_one(w, c);
        } else if (c->info.class[0] == '\0' && c->info.sessions == 0 &&
                   now - c->since_us >= UNRECORDED_US) {
            set_class(w, c, runs_something(c) ? "unrecorded" : "forward-only");
        }
    }
    w->conns_at_us = look ? now + LOOK_US : w->conns_at_us;
}
