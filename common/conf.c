/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/conf_lines.h"
#include "common/conf_pattern.h"

#define TEXT_MAX (1024U * 1024)

enum conf_type { TYPE_NUMBER, TYPE_CHOICE, TYPE_TEXT, TYPE_PATTERN };

struct conf_key {
    const char *section, *name;
    enum conf_type type;
    size_t offset;
    const char *fallback;
    /* TYPE_NUMBER: bounds; TYPE_CHOICE: the words in order of value, split by '|'. */
    int64_t min, max;
    const char *words;
};

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
    CHOICE("record", "commit", commit, "first", "first|batch"),
    NUMBER("record", "commit_ms", commit_ms, "50", 1, 10000),
    CHOICE("record", "input", input, "on", "off|on"),
    NUMBER("record", "stream_kib", stream_kib, "64", 0, 1048576),
    CHOICE("record", "stream_input", stream_input, "off", "off|on"),
    CHOICE("record", "on_writer_loss", on_writer_loss, "end", "block|end|continue"),
    NUMBER("record", "writer_timeout_s", writer_timeout_s, "30", 1, 3600),
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
    NUMBER("status", "backlog_warn_s", backlog_warn_s, "900", 1, 31536000),
    NUMBER("status", "backlog_crit_s", backlog_crit_s, "7200", 1, 31536000),
    NUMBER("status", "disk_warn_mib", disk_warn_mib, "1024", 0, 1073741824),
    NUMBER("status", "disk_crit_mib", disk_crit_mib, "256", 0, 1073741824),
};
#define KEYS (sizeof keys / sizeof keys[0])

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

    if (at == &c->ship_to && !is_place(value)) {
        return err_set(err, ERR_USAGE, "%s must be s3://BUCKET/PREFIX or file:///DIRECTORY",
                       k->name);
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

static int set_key(struct conf *c, const char *section, const char *name, const char *value,
                   struct error *err)
{
    for (size_t i = 0; i < KEYS; i++) {
        const struct conf_key *k = &keys[i];

        if (strcmp(k->section, section) != 0 || strcmp(k->name, name) != 0) {
            continue;
        }
        if (k->type == TYPE_TEXT) {
            return set_text(c, k, value, err);
        }
        if (k->type == TYPE_PATTERN) {
            return set_pattern(c, k, value, err);
        }
        if (k->type == TYPE_NUMBER) {
            return set_number(c, k, value, err);
        }
        int64_t choice = choice_of(k->words, value);
        if (choice < 0) {
            return err_set(err, ERR_USAGE, "%s must be one of %s", k->name, k->words);
        }
        *(int64_t *)(void *)((char *)c + k->offset) = choice;
        return 0;
    }
    return err_set(err, ERR_USAGE, "unknown key %.40s in [%.40s]; see ttytrail.conf(5)", name,
                   section);
}

int conf_init(struct conf *c, struct error *err)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < KEYS; i++) {
        if (set_key(c, keys[i].section, keys[i].name, keys[i].fallback, err) != 0) {
            conf_clear(c);
            return -1;
        }
    }
    return 0;
}

void conf_clear(struct conf *c)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i].type == TYPE_TEXT || keys[i].type == TYPE_PATTERN) {
            char **at = (char **)((char *)c + keys[i].offset);

            free(*at);
            *at = NULL;
        }
    }
}

struct load {
    struct conf *conf;
    struct error first;
};

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
    struct load *l = user;

    if (l->first.kind != ERR_NONE) {
        return 0;
    }
    return set_key(l->conf, section, name, value == NULL ? "" : value, &l->first) == 0;
}

static bool known_section(const char *section)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].section, section) == 0) {
            return true;
        }
    }
    return false;
}

/* A pipe is as good as a file: `--config <(...)`. */
static int read_all(const char *path, struct buf *ret, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    ssize_t n = 1;
    int rc = 0;

    if (fd < 0) {
        return err_sys(err, "open %s", path);
    }
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        rc = err_set(err, ERR_USAGE, "%s is a directory, not a configuration", path);
    }
    while (rc == 0 && n > 0) {
        uint8_t *room;

        rc = buf_reserve(ret, 4096, &room, err);
        if (rc == 0) {
            n = read(fd, room, 4096);
            if (n > 0) {
                buf_commit(ret, (size_t)n);
            } else if (n < 0 && errno == EINTR) {
                n = 1;
            } else if (n < 0) {
                rc = err_sys(err, "read %s", path);
            }
        } else {
            (void)err_wrap(err, "%s", path);
        }
    }
    close(fd);
    return rc;
}

/* What is wrong first is told: a line that inih would misread, or a pair before it. */
static int load_text(struct conf *c, const char *path, const struct buf *text, struct error *err)
{
    struct load l = {.conf = c};
    struct error line_err;
    struct buf lines;
    const char *clean;
    int line, bad_line, checked, result = -1;

    buf_init(&lines, TEXT_MAX);
    err_clear(&line_err);
    checked = conf_lines(text, known_section, &lines, &bad_line, &line_err);
    clean = buf_text(&lines, err);
    if (clean == NULL) {
        goto out;
    }
    line = ini_parse_string(clean, on_pair, &l);
    if (line < 0) {
        (void)err_set(err, ERR_SYSTEM, "no memory for %s", path);
    } else if (line > 0) {
        (void)err_set(err, ERR_USAGE, "%s:%d: %s", path, line,
                      l.first.kind != ERR_NONE ? l.first.text
                                               : "neither [section] nor key = value");
    } else if (checked != 0) {
        (void)err_set(err, line_err.kind, "%s:%d: %s", path, bad_line, line_err.text);
    } else {
        result = 0;
    }
out:
    buf_clear(&lines);
    return result;
}

static int load_file(struct conf *c, const char *path, struct error *err)
{
    struct buf text;
    int rc;

    buf_init(&text, TEXT_MAX);
    rc = read_all(path, &text, err);
    if (rc == 0) {
        rc = load_text(c, path, &text, err);
    }
    buf_clear(&text);
    return rc;
}

static int is_conf(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".conf") == 0;
}

int conf_load(struct conf *c, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    struct dirent **names = NULL;
    char dir[4096];
    int n, rc;

    rc = load_file(c, path, err);
    if (rc != 0) {
        return rc;
    }
    n = snprintf(dir, sizeof dir, "%.*sconf.d", slash == NULL ? 0 : (int)(slash + 1 - path), path);
    if (n < 0 || (size_t)n >= sizeof dir) {
        return err_set(err, ERR_USAGE, "path of the configuration is too long");
    }
    n = scandir(dir, &names, is_conf, alphasort);
    if (n < 0 && errno != ENOENT && errno != ENOTDIR) {
        return err_sys(err, "read %s", dir);
    }
    for (int i = 0; i < n; i++) {
        char one[4096 + 300];

        (void)snprintf(one, sizeof one, "%s/%s", dir, names[i]->d_name);
        if (rc == 0) {
            rc = load_file(c, one, err);
        }
        free(names[i]);
    }
    free(names);
    return rc;
}

bool conf_default_path(char *ret, size_t size)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    (void)snprintf(ret, size, "/etc/ttytrail/ttytrail.conf");
    if (access(ret, R_OK) == 0) {
        return true;
    }
    if (base != NULL && base[0] == '/') {
        (void)snprintf(ret, size, "%s/ttytrail/ttytrail.conf", base);
    } else {
        (void)snprintf(ret, size, "%s/.config/ttytrail/ttytrail.conf", home == NULL ? "" : home);
    }
    return access(ret, R_OK) == 0;
}

int conf_open(struct conf *c, const char *path_or_null, struct error *err)
{
    char found[4096] = "";
    int rc = 0;

    if (conf_init(c, err) != 0) {
        return -1;
    }
    if (path_or_null != NULL) {
        rc = conf_load(c, path_or_null, err);
    } else if (conf_default_path(found, sizeof found)) {
        rc = conf_load(c, found, err);
    }
    if (rc == 0 && c->backlog_warn_s > c->backlog_crit_s) {
        rc = err_set(
            err, ERR_USAGE,
            "%s: backlog_warn_s of [status] is %" PRId64 ", more than backlog_crit_s, %" PRId64,
            path_or_null != NULL ? path_or_null : found, c->backlog_warn_s, c->backlog_crit_s);
    }
    if (rc != 0) {
        conf_clear(c);
    }
    return rc;
}
