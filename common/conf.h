/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttytrail.conf: one table of every key with its section, type, bounds and default (docs/DESIGN.md
 * section 10, ttytrail.conf(5)); INI read by inih.  Knows nothing of who uses a value.  Unknown
 * keys, wrong values and repeated sections' mistakes are errors that name file and line.  The
 * recorder never reads this: it is handed its part as a policy by the writer.
 */
#ifndef TTYTRAIL_COMMON_CONF_H
#define TTYTRAIL_COMMON_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum conf_commit { CONF_COMMIT_FIRST, CONF_COMMIT_BATCH };
enum conf_loss { CONF_LOSS_BLOCK, CONF_LOSS_END, CONF_LOSS_CONTINUE };
enum conf_redact { CONF_REDACT_STRICT, CONF_REDACT_BALANCED, CONF_REDACT_OFF };
enum conf_blind { CONF_BLIND_ALERT, CONF_BLIND_REDACT };
enum conf_mask { CONF_MASK_HIDE, CONF_MASK_KEEP };
enum conf_durability { CONF_DURABILITY_PROCESS, CONF_DURABILITY_POWER };
enum conf_full { CONF_FULL_RING, CONF_FULL_END, CONF_FULL_CONTINUE };
enum conf_sse { CONF_SSE_BUCKET, CONF_SSE_S3, CONF_SSE_KMS };
enum conf_lock { CONF_LOCK_BUCKET, CONF_LOCK_GOVERNANCE, CONF_LOCK_COMPLIANCE };
enum conf_mode { CONF_MODE_COMMIT_FIRST, CONF_MODE_STRICT, CONF_MODE_BEST_EFFORT };
enum conf_idle { CONF_IDLE_OFF, CONF_IDLE_WARN, CONF_IDLE_LOCK, CONF_IDLE_END };
enum conf_confirm { CONF_CONFIRM_PUT, CONF_CONFIRM_HEAD };

/* The ways into a host, as `ways` of [record] names them: bits. */
enum conf_way {
    CONF_WAY_LOGIN = 1,
    CONF_WAY_COMMAND = 2,
    CONF_WAY_SUBSYSTEM = 4,
    CONF_WAY_SU = 8,
    CONF_WAY_SUDO = 16,
    CONF_WAY_CONSOLE = 32,
    CONF_WAY_SSM = 64,
    CONF_WAYS_ALL = 127
};

struct conf_group;

/* Strings are owned, never NULL ("" when unset). */
struct conf {
    /* [record] */
    int64_t mode, record, ring_kib, on_idle, idle_s, max_depth;
    char *ways, *shell, *break_glass;
    int64_t commit, commit_ms, input, stream_kib, stream_input, on_writer_loss, writer_timeout_s;
    char *notice;
    /* [redact] */
    int64_t redact, blind_commands, mask_output, hold_max_kib, hold_max_s, typeahead_hold_s, tokens,
        max_no_echo;
    char *prompt_patterns;
    /* [store] */
    int64_t durability, segment_kib, wal_max_mib, reserve_mib, on_disk_full, keep_days, keep_mib;
    int64_t user_sessions, user_kib_s, user_held_kib;
    /* [ship] */
    char *ship_to;
    int64_t ship_kib, ship_every_s, heartbeat_h, confirm, ship_in_flight, ship_rate_kib_s,
        ship_requests_s;
    /* [s3] */
    char *s3_endpoint, *s3_region, *s3_host_name, *s3_expected_owner, *s3_kms_key, *s3_ca_file;
    char *s3_vpce, *s3_ip_ranges, *s3_storage_class, *s3_tags;
    int64_t s3_path_style, s3_sse, s3_bucket_key, s3_lock_mode, s3_lock_days, s3_legal_hold;
    /* [trail] */
    char *trail, *trail_digest_keys, *trail_eic_root, *trail_key_owners, *trail_accounts,
        *trail_regions;
    int64_t trail_skew_s, trail_lookback_h;
    /* [status] */
    int64_t backlog_warn_s, backlog_crit_s, disk_warn_mib, disk_crit_mib;
    /* [group NAME], in the order of the files */
    struct conf_group *groups;
    size_t n_groups;
    bool said_commit, said_loss, said_full; /* by a line of its own: mode does not change it */
};

/** conf_init(c, err): Every key at its default. */
int conf_init(struct conf *c, struct error *err);
/** conf_clear(c): Free the strings; accepts a half-built or zeroed ${c}. */
void conf_clear(struct conf *c);
/** conf_load(c, path, err): Read ${path} over what ${c} holds, then ${path}'s sibling directory
 * "conf.d" (its *.conf in order of name).  USAGE with "file:line: ..." for what is wrong. */
int conf_load(struct conf *c, const char *path, struct error *err);
/** conf_default_path(ret, size): /etc/ttytrail/ttytrail.conf if that exists, else the user's own
 * under XDG_CONFIG_HOME or ~/.config; returns true when the file exists. */
bool conf_default_path(char *ret, size_t size);
/** conf_open(c, path_or_null, err): conf_init, then conf_load of ${path_or_null} (which must exist)
 * or of the default path (which need not). */
int conf_open(struct conf *c, const char *path_or_null, struct error *err);

/** conf_group(c, i): The name of the i-th group that has a section; NULL behind the last. */
const char *conf_group(const struct conf *c, size_t i);
/** conf_for_group(c, i, ret, err): All of ${c} as it is for members of that group; the caller
 * clears ${ret}, which has no groups itself. */
int conf_for_group(const struct conf *c, size_t i, struct conf *ret, struct error *err);
/** conf_ways(text, ret): The bits of a list of ways; "" and "all" are all.  -1: an unknown word. */
int conf_ways(const char *text, uint32_t *ret);

#endif
