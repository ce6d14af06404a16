/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the key that sshd accepted stands in its user's authorized_keys: only who knows that it
 * does not can say that whoever pushed it was the one who came in.  "no" is said when every place
 * that sshd may take keys from is known and was looked at; every doubt is "unknown".  libc alone;
 * never waits, never follows what a user laid in its way.  Source: sshd_config(5).
 */
#ifndef TTYTRAIL_FACTS_STANDING_H
#define TTYTRAIL_FACTS_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** standing_settings(text, len): Whether this configuration of sshd leaves keys where they are by
 * default, or with Instance Connect's command besides. */
bool standing_settings(const char *text, size_t len);
/** standing_listener(args, len): The same of a listener's arguments, NUL or blank between. */
bool standing_listener(const char *args, size_t len);
/** standing_file(text, len, base64): Whether the blob stands there as a word of its own. */
bool standing_file(const char *text, size_t len, const char *base64);

/** standing_word(user, auth_info, monitor): "yes", "no" or "unknown" for the key of ${auth_info}
 * (SSH_AUTH_INFO_0) and the sshd whose monitor has that pid. */
const char *standing_word(const char *user, const char *auth_info, pid_t monitor);

#endif
