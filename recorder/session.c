/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/session.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json_write.h"
#include "storage/wire/facts.h"

#define TEXT_MAX 4096U

/* Environment: the user's own word, hence the prefix. */
static const struct {
    const char *variable, *key;
} environment[] = {
    {"TERM", "env.term"},
    {"SHELL", "env.shell"},
    {"LANG", "env.lang"},
    {"SSH_CONNECTION", "env.ssh_connection"},
};

int session_command(struct buf *out, char *const *argv, struct error *err)
{
    size_t all = 0;
    bool cut = false;

    if (buf_putc(out, '[', err) != 0) {
        return -1;
    }
    for (size_t i = 0; argv[i] != NULL; i++) {
        size_t len = strlen(argv[i]), left, take;

        all += len;
        left = out->len + 128 < SESSION_COMMAND_MAX ? SESSION_COMMAND_MAX - 128 - out->len : 0;
        /* One byte becomes six at the most. */
        take = len <= left / 6 ? len : left / 6;
        cut = cut || take < len || left == 0;
        if (left > 0 && ((i > 0 && buf_putc(out, ',', err) != 0) ||
                         json_string_n(out, argv[i], take, err) != 0)) {
            return -1;
        }
    }
    if (cut && buf_printf(out, err, ",\"[cut: %zu bytes in all]\"", all) != 0) {
        return -1;
    }
    return buf_putc(out, ']', err);
}

static int put_some(struct buf *out, const char *key, const char *value, struct error *err)
{
    size_t len = value == NULL ? 0 : strlen(value);

    if (len == 0) {
        return 0;
    }
    return facts_put(out, key, value, len < TEXT_MAX ? len : TEXT_MAX, err);
}

static int put_user(struct buf *out, struct error *err)
{
    char text[4096], number[24];
    struct passwd entry, *found = NULL;

    (void)snprintf(number, sizeof number, "%ld", (long)getuid());
    if (getpwuid_r(getuid(), &entry, text, sizeof text, &found) != 0 || found == NULL) {
        return facts_put_text(out, "user", number, err);
    }
    return facts_put_text(out, "user", entry.pw_name, err);
}

static int put_terminal(struct buf *out, int tty, const struct winsize *size, struct error *err)
{
    char name[256];

    if (tty < 0) {
        return 0;
    }
    if (ttyname_r(tty, name, sizeof name) == 0 && put_some(out, "tty", name, err) != 0) {
        return -1;
    }
    if (facts_put_int(out, "cols", size->ws_col, err) != 0) {
        return -1;
    }
    return facts_put_int(out, "rows", size->ws_row, err);
}

static int put_process(struct buf *out, struct error *err)
{
    char boot[33];
    pid_t pid = getpid();

    clock_boot_id(boot);
    if (facts_put_text(out, "boot_id", boot, err) != 0 ||
        facts_put_int(out, "pid", pid, err) != 0 ||
        facts_put_int(out, "pid_began", (int64_t)clock_process_start(pid), err) != 0) {
        return -1;
    }
    return facts_put_int(out, "ppid", getppid(), err);
}

int session_facts(struct buf *out, const struct recorder_config *config, enum session_kind kind,
                  int tty, const struct winsize *size, struct error *err)
{
    static const char *const kinds[] = {"tty", "stream", "mixed"};
    char cwd[TEXT_MAX];

    if (facts_put_text(out, "kind", kinds[kind], err) != 0 || put_user(out, err) != 0 ||
        facts_put_int(out, "uid", getuid(), err) != 0 ||
        put_some(out, "title", config->title, err) != 0 ||
        put_some(out, "way_in", config->way_in, err) != 0 ||
        (config->command_json != NULL && config->command_json[0] != '\0' &&
         facts_put_text(out, "command", config->command_json, err) != 0) ||
        put_terminal(out, tty, size, err) != 0 || put_process(out, err) != 0) {
        return -1;
    }
    if (getcwd(cwd, sizeof cwd) != NULL && put_some(out, "cwd", cwd, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof environment / sizeof environment[0]; i++) {
        if (put_some(out, environment[i].key, getenv(environment[i].variable), err) != 0) {
            return -1;
        }
    }
    return 0;
}
