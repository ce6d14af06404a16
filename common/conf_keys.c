/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_keys.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_pattern.h"

#define NUMBER(section, name, member, fallback, min, max)                                          \
    {                                                                                              \
        section, name, TYPE_NUMBER, offsetof(struct conf, member), fallback, min, max, NULL        \
    }
#define CHOICE(section, name, member, fallback, words)                                             \
    {                                                                                              \
        section, name, TYPE_CHOICE, offsetof(struct conf, member), fallback, 0, 0, words           \
    }
#define TEXT(section, name, member)                                                                \
    {                                                                                              \
        section, name, TYPE_TEXT, offsetof(struct conf, member), "", 0, 0, NULL                    \
    }

/* Extended regular expressions (common/conf_pattern.h). */
#define PATTERN(section, name, member)                                                             \
    {                                                                                              \
        section, name, TYPE_PATTERN, offsetof(struct conf, member), "", 0, 0, NULL                 \
    }

static const struct conf_key keys[] = {
    CHOICE("record", "mode", mode, "commit-first", "commit-first|strict|best-effort"),
    CHOICE("record", "record", record, "on", "off|on"),
    TEXT("record", "ways", ways),
    TEXT("record", "shell", shell),
    CHOICE("record", "commit", commit, "first", "first|batch"),
    NUMBER("record", "commit_ms", commit_ms, "50", 1, 10000),
    CHOICE("record", "input", input, "on", "off|on"),
    NUMBER("record", "stream_kib", stream_kib, "64", 0, 1048576),
    CHOICE("record", "stream_input", stream_input, "off", "off|on"),
    CHOICE("record", "on_writer_loss", on_writer_loss, "end", "block|end|continue"),
    NUMBER("record", "writer_timeout_s", writer_timeout_s, "30", 1, 3600),
    NUMBER("record", "ring_kib", ring_kib, "4096", 64, 1048576),
    TEXT("record", "break_glass", break_glass),
    CHOICE("record", "on_idle", on_idle, "off", "off|warn|lock|end"),
    NUMBER("record", "idle_s", idle_s, "900", 10, 604800),
    NUMBER("record", "max_depth", max_depth, "16", 1, 1000),
    TEXT("record", "notice", notice),
    CHOICE("redact", "redact", redact, "balanced", "strict|balanced|off"),
    CHOICE("redact", "blind_commands", blind_commands, "record+alert", "record+alert|redact"),
    PATTERN("redact", "prompt_patterns", prompt_patterns),
    CHOICE("redact", "mask_output", mask_output, "hide", "hide|keep"),
    NUMBER("redact", "hold_max_kib", hold_max_kib, "64", 1, 1024),
    NUMBER("redact", "hold_max_s", hold_max_s, "30", 1, 600),
    NUMBER("redact", "typeahead_hold_s", typeahead_hold_s, "2", 0, 30),
    CHOICE("redact", "tokens", tokens, "on", "off|on"),
    NUMBER("redact", "max_no_echo", max_no_echo, "512", 0, 1048576),
    CHOICE("store", "durability", durability, "process", "process|power"),
    NUMBER("store", "segment_kib", segment_kib, "512", 1, 16384),
    NUMBER("store", "wal_max_mib", wal_max_mib, "64", 1, 4096),
    NUMBER("store", "reserve_mib", reserve_mib, "64", 0, 1048576),
    CHOICE("store", "on_disk_full", on_disk_full, "ring", "ring|end|continue"),
    NUMBER("store", "keep_days", keep_days, "30", 0, 36500),
    NUMBER("store", "keep_mib", keep_mib, "0", 0, 1073741824),
    NUMBER("store", "user_sessions", user_sessions, "200", 1, 100000),
    NUMBER("store", "user_kib_s", user_kib_s, "8192", 16, 10485760),
    NUMBER("store", "user_held_kib", user_held_kib, "65536", 256, 10485760),
    TEXT("ship", "to", ship_to),
    NUMBER("ship", "ship_kib", ship_kib, "8192", 64, 65536),
    NUMBER("ship", "ship_every_s", ship_every_s, "60", 1, 86400),
    NUMBER("ship", "heartbeat_h", heartbeat_h, "1", 0, 168),
    CHOICE("ship", "confirm", confirm, "put", "put|head"),
    NUMBER("ship", "in_flight", ship_in_flight, "8", 1, 64),
    NUMBER("ship", "rate_kib_s", ship_rate_kib_s, "0", 0, 10485760),
    NUMBER("ship", "requests_s", ship_requests_s, "0", 0, 10000),
    TEXT("s3", "endpoint", s3_endpoint),
    TEXT("s3", "region", s3_region),
    CHOICE("s3", "path_style", s3_path_style, "no", "no|yes"),
    TEXT("s3", "host_name", s3_host_name),
    TEXT("s3", "expected_owner", s3_expected_owner),
    TEXT("s3", "kms_key", s3_kms_key),
    CHOICE("s3", "sse", s3_sse, "bucket", "bucket|s3|kms"),
    CHOICE("s3", "bucket_key", s3_bucket_key, "yes", "no|yes"),
    TEXT("s3", "storage_class", s3_storage_class),
    TEXT("s3", "tags", s3_tags),
    CHOICE("s3", "lock_mode", s3_lock_mode, "bucket", "bucket|governance|compliance"),
    NUMBER("s3", "lock_days", s3_lock_days, "0", 0, 36500),
    CHOICE("s3", "legal_hold", s3_legal_hold, "no", "no|yes"),
    TEXT("s3", "ca_file", s3_ca_file),
    TEXT("s3", "vpce", s3_vpce),
    TEXT("s3", "ip_ranges", s3_ip_ranges),
    TEXT("trail", "trail", trail),
    TEXT("trail", "digest_keys", trail_digest_keys),
    NUMBER("trail", "skew_s", trail_skew_s, "1", 0, 3600),
    TEXT("trail", "eic_root", trail_eic_root),
    TEXT("trail", "key_owners", trail_key_owners),
    TEXT("trail", "accounts", trail_accounts),
    TEXT("trail", "regions", trail_regions),
    NUMBER("trail", "lookback_h", trail_lookback_h, "24", 1, 87600),
    NUMBER("status", "backlog_warn_s", backlog_warn_s, "900", 1, 31536000),
    NUMBER("status", "backlog_crit_s", backlog_crit_s, "7200", 1, 31536000),
    NUMBER("status", "disk_warn_mib", disk_warn_mib, "1024", 0, 1073741824),
    NUMBER("status", "disk_crit_mib", disk_crit_mib, "256", 0, 1073741824),
};
#define KEYS (sizeof keys / sizeof keys[0])

#define WAYS "login command subsystem su sudo console ssm"

int conf_ways(const char *text, uint32_t *ret)
{
    *ret = 0;
    text += strspn(text, " ,");
    if (*text == '\0' || strcmp(text, "all") == 0) {
        *ret = CONF_WAYS_ALL;
        return 0;
    }
    while (*text != '\0') {
        const char *names = WAYS;
        size_t len = strcspn(text, " ,");
        uint32_t bit = 1;

        for (; *names != '\0'; bit <<= 1) {
            size_t n = strcspn(names, " ");

            if (n == len && memcmp(names, text, n) == 0) {
                break;
            }
            names += n + (names[n] == ' ');
        }
        if (*names == '\0') {
            return -1;
        }
        *ret |= bit;
        text += len;
        text += strspn(text, " ,");
    }
    return 0;
}

/* Where to ship to; whether there is such a place, only trying tells. */
static bool is_place(const char *value)
{
    return value[0] == '\0' || value[0] == '/' || strncmp(value, "file:///", 8) == 0 ||
           (strncmp(value, "s3://", 5) == 0 && strcspn(value + 5, "/") > 0);
}

static int set_text(struct conf *c, const struct conf_key *k, const char *value, struct error *err)
{
    char **at = (char **)((char *)c + k->offset);
    char *copy;

    uint32_t ways;

    if (at == &c->ship_to && !is_place(value)) {
        return err_set(err, ERR_USAGE, "%s must be s3://BUCKET/PREFIX or file:///DIRECTORY",
                       k->name);
    }
    if (at == &c->ways && conf_ways(value, &ways) != 0) {
        return err_set(err, ERR_USAGE, "%s must be some of " WAYS ", or all", k->name);
    }
    if (at == &c->shell && value[0] != '\0' && (value[0] != '/' || strlen(value) > 200)) {
        return err_set(err, ERR_USAGE, "%s must be the path of a shell, from /", k->name);
    }
    copy = strdup(value);
    if (copy == NULL) {
        return err_sys(err, "allocate");
    }
    free(*at);
    *at = copy;
    return 0;
}

/* Every line is one more alternative; one without a value forgets those before. */
static int set_pattern(struct conf *c, const struct conf_key *k, const char *value,
                       struct error *err)
{
    char **at = (char **)((char *)c + k->offset), *all = NULL;

    if (value[0] == '\0') {
        return set_text(c, k, value, err);
    }
    if (conf_pattern_join(*at, value, &all, err) != 0) {
        return err_wrap(err, "%s", k->name);
    }
    free(*at);
    *at = all;
    return 0;
}

/* The index of ${value} among the words "a|b|c", or -1. */
static int64_t choice_of(const char *words, const char *value)
{
    size_t len = strlen(value);
    int64_t i = 0;

    for (const char *w = words; *w != '\0'; i++) {
        size_t n = strcspn(w, "|");

        if (n == len && memcmp(w, value, n) == 0) {
            return i;
        }
        w += n + (w[n] == '|');
    }
    return -1;
}

static int set_number(struct conf *c, const struct conf_key *k, const char *value,
                      struct error *err)
{
    int64_t *at = (int64_t *)(void *)((char *)c + k->offset);
    char *end = NULL;
    long long n;

    errno = 0;
    n = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || n < k->min || n > k->max) {
        return err_set(err, ERR_USAGE, "%s must be a number from %lld to %lld", k->name,
                       (long long)k->min, (long long)k->max);
    }
    *at = n;
    return 0;
}

/* What a [group NAME] section may change. */
static const char *const of_groups[] = {
    "mode",           "record",           "ways",
    "shell",          "commit",           "commit_ms",
    "input",          "stream_kib",       "stream_input",
    "on_writer_loss", "writer_timeout_s", "on_disk_full",
    "ring_kib",       "on_idle",          "idle_s",
    "notice",         "redact",           "blind_commands",
    "mask_output",    "prompt_patterns",  "hold_max_kib",
    "hold_max_s",     "typeahead_hold_s", "tokens",
    "max_no_echo",
};

const struct conf_key *conf_key_at(size_t i)
{
    return i < KEYS ? &keys[i] : NULL;
}

const struct conf_key *conf_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

const struct conf_key *conf_key_of_group(const char *name)
{
    for (size_t i = 0; i < sizeof of_groups / sizeof of_groups[0]; i++) {
        for (size_t j = 0; j < KEYS && strcmp(of_groups[i], name) == 0; j++) {
            if (strcmp(keys[j].name, name) == 0) {
                return &keys[j];
            }
        }
    }
    return NULL;
}

int conf_key_set(struct conf *c, const struct conf_key *k, const char *value, struct error *err)
{
    int64_t choice;

    switch (k->type) {
    case TYPE_TEXT:
        return set_text(c, k, value, err);
    case TYPE_PATTERN:
        return set_pattern(c, k, value, err);
    case TYPE_NUMBER:
        return set_number(c, k, value, err);
    case TYPE_CHOICE:
        break;
    }
    choice = choice_of(k->words, value);
    if (choice < 0) {
        return err_set(err, ERR_USAGE, "%s must be one of %s", k->name, k->words);
    }
    *(int64_t *)(void *)((char *)c + k->offset) = choice;
    return 0;
}
