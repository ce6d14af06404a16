/* SPDX-License-Identifier: Apache-2.0 */
/* Which host this is, and its epoch: in the database from the first start on. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "storage/writer/writer_impl.h"

static void machine_id(char ret[65])
{
    struct buf b;

    buf_init(&b, 256);
    ret[0] = '\0';
    if (io_read_file(-1, "/etc/machine-id", 256, &b, NULL) == 0) {
        size_t n = 0;
        const uint8_t *p = buf_data(&b);

        while (n < b.len && n < 64 && p[n] > ' ') {
            ret[n] = (char)p[n];
            n++;
        }
        ret[n] = '\0';
    }
    buf_clear(&b);
    if (ret[0] == '\0' && gethostname(ret, 64) != 0) {
        (void)snprintf(ret, 65, "unknown");
    }
}

static int make_identity(struct writer *w, const char *machine, struct error *err)
{
    char hex[33], now[32];

    if (getrandom(w->epoch, sizeof w->epoch, 0) != (ssize_t)sizeof w->epoch) {
        return err_sys(err, "random numbers");
    }
    (void)snprintf(now, sizeof now, "%lld", (long long)clock_unix_us());
    io_hex(w->epoch, sizeof w->epoch, hex);
    if (store_begin(w->store, err) != 0) {
        return -1;
    }
    if (store_meta_set(w->store, "epoch", hex, err) != 0 ||
        store_meta_set(w->store, "epoch_why", "new host", err) != 0 ||
        store_meta_set(w->store, "created_us", now, err) != 0 ||
        store_meta_set(w->store, "machine_id", machine, err) != 0 ||
        store_meta_set(w->store, "host", machine, err) != 0 || store_commit(w->store, err) != 0) {
        store_rollback(w->store);
        return -1;
    }
    return 0;
}

int identity_load(struct writer *w, struct error *err)
{
    char machine[65];
    struct buf b;
    int rc;

    machine_id(machine);
    buf_init(&b, 4096);
    rc = store_meta_get(w->store, "epoch", &b, err);
    if (rc == 0) {
        rc = make_identity(w, machine, err) == 0 ? 1 : -1;
    } else if (rc == 1 && (buf_text(&b, NULL) == NULL ||
                           io_unhex(buf_text(&b, NULL), w->epoch, sizeof w->epoch) != 0)) {
        rc = err_set(err, ERR_CORRUPT, "the database's epoch is damaged");
    }
    buf_reset(&b);
    if (rc == 1) {
        rc = store_meta_get(w->store, "host", &b, err);
        (void)snprintf(w->host, sizeof w->host, "%s", rc == 1 ? buf_text(&b, NULL) : machine);
    }
    buf_clear(&b);
    return rc < 0 ? -1 : 0;
}
