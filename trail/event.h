/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of CloudTrail, as far as "who was it" needs it.  Pure values: what made them is
 * trail/record.h, what keeps them trail/store.h, what joins them trail/join.h.  Every text is cut
 * to its array only where AWS itself promises less; a record that is longer is refused by
 * record_read.
 */
#ifndef TTYTRAIL_TRAIL_EVENT_H
#define TTYTRAIL_TRAIL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trail_kind {
    TRAIL_NOISE,     /* nothing of ours */
    TRAIL_PUSH,      /* SendSSHPublicKey */
    TRAIL_SERIAL,    /* SendSerialConsoleSSHPublicKey */
    TRAIL_TUNNEL,    /* OpenTunnel of an Instance Connect Endpoint */
    TRAIL_START,     /* StartSession of ssm */
    TRAIL_RESUME,    /* ResumeSession of ssm */
    TRAIL_TERMINATE, /* TerminateSession of ssm */
    TRAIL_ASSUME,    /* AssumeRole*, GetFederationToken, GetSessionToken: gave out credentials */
    TRAIL_LOGIN,     /* ConsoleLogin */
    TRAIL_CALL       /* any other, by the credentials or from an address of a host of ours */
};

/* userIdentity, AWS.md's section 1.2; "" where absent. */
struct trail_identity {
    char type[32];
    char arn[2048], principal_id[256], account[16], access_key[128], user_name[256];
    char issuer_type[32], issuer_arn[2048], session_name[256];
    char source_identity[256], provider[2048], on_behalf_of[256], invoked_by[256];
    char mfa[8]; /* "true", "false" */
};

struct trail_event {
    enum trail_kind kind;
    char id[64], shared_id[64], request_id[64];
    char source[64], name[64]; /* "ec2-instance-connect.amazonaws.com", "SendSSHPublicKey" */
    int64_t time_us;           /* unix; whole seconds as AWS has them */
    char region[32], account[16], address[256], user_agent[256];
    char error[128]; /* errorCode; not "": no access was given */
    struct trail_identity who;
    char instance[64]; /* of a push, a serial key, the target of a start */
    char os_user[64];  /* of a push */
    char key[4200];    /* "ssh-ed25519 AAAA...", without comment; "" when the record hides it */
    char session[128]; /* of ssm; of a start without one nothing was opened */
    char document[256], reason[512]; /* of a start */
    char tunnel_address[64], tunnel_port[8], tunnel_endpoint[64];
    char issued_key[128], issued_arn[2048]; /* of an assume: whose access_key later calls bear */
    bool monitor;                           /* of a serial key: monitorMode, which only looks on */
    char amends[64];                        /* an addendum's originalEventID */
    uint8_t sha256[32];                     /* of the record's own text, as it stands in the file */
};

/** trail_event_is_access(e): Whether it opened (or, resumed) a way in: a kind of access, without
 * error, and for a start with a session. */
bool trail_event_is_access(const struct trail_event *e);

#endif
