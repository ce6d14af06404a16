/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: one epoll loop over recorders, commands and the sealing thread; one transaction a
 * turn; acknowledgements after the commit.  The only process that writes the evidence database.
 */
#ifndef TTYTRAIL_WRITER_WRITER_H
#define TTYTRAIL_WRITER_WRITER_H

#include <stdbool.h>

#include "common/conf.h"
#include "common/err.h"

struct writer_config {
    const char *db;
    int listen_fd, control_fd; /* -1 for none; owned by the writer from then on */
    int private_fd;            /* -1 for none: then a private writer for this one connection */
    int signal_fd;             /* TERM, INT: end in order; HUP: reload; -1 for none */
    const char *ring_dir;      /* where recorders leave rings; NULL: nowhere */
    const char *config_path;   /* for the reload; NULL for the default one */
    struct conf *conf;
    bool unreadable;            /* there is no good configuration: ${conf} is built in */
    const struct error *refuse; /* private: say this to whoever asks, and leave; NULL for not */
};

/** writer_run(config, err): Serve until told to end (or, private, until the session is sealed). */
int writer_run(const struct writer_config *config, struct error *err);

#endif
