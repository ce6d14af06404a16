/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked about: one connection with its sessions (or a session that no connection explains),
 * as the host noted it.  Made from a database (trail/subject_db.c) or from what was shipped
 * (trail/subject_pack.c); the join sees no difference.
 */
#ifndef TTYTRAIL_TRAIL_SUBJECT_H
#define TTYTRAIL_TRAIL_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUBJECT_SESSIONS 64U /* ids kept; more are counted */

enum subject_way { /* how they came in, by the host's own facts */
                   SUBJECT_SSH,
                   SUBJECT_SSM,     /* a child of the agent's session worker */
                   SUBJECT_SSM_SSH, /* sshd's client end is a worker's on this host */
                   SUBJECT_SERIAL,
                   SUBJECT_LOCAL /* console, su and sudo: nobody that AWS could know */
};

struct subject {
    uint8_t id[16]; /* of the connection; of the session where has_connection is false */
    bool has_connection;
    enum subject_way way;
    int64_t opened_us, closed_us; /* unix; of the authentication, 0 while open */
    int64_t clock_error_us;       /* measured; added to skew */
    char host[256], instance[64], account[16], region[32], private_ip[64];
    char os_user[64], class[24];
    char client_address[64], client_port[8], server_address[64], server_port[8];
    char method[64];       /* sshd's: "publickey" */
    char key[8300];        /* "ssh-ed25519 AAAA...", the one sshd accepted */
    bool key_from_witness; /* else from SSH_USER_AUTH, which the user could have forged */
    bool key_standing;     /* it stands in authorized_keys too, or that could not be looked at */
    char cert_key_id[256], cert_serial[24], cert_ca[64]; /* of an SSH certificate */
    char ssm_session[128], ssm_owner[2048];              /* the agent's own word, root's alone */
    char eic_caller[2048], eic_request[64]; /* of a signed block that verified; else "" */
    int64_t eic_expires_us;                 /* of its #Timestamp */
    char hop_from[33]; /* hex id of the connection on another host whose 4-tuple is this one's */
    size_t sessions;   /* recorded ones */
    uint8_t session[SUBJECT_SESSIONS][16];
};

#endif
