/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/predicates.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/io.h"
#include "replay/dates.h"
#include "storage/db/flags.h"
#include "storage/wire/facts.h"

#define FACT 4096

void predicate_value_clear(struct predicate_value *v)
{
    free(v->text);
    if (v->regex != NULL) {
        regfree(v->regex);
        free(v->regex);
    }
    memset(v, 0, sizeof *v);
}

/* ---- values ---- */

static int parse_text(const char *word, struct predicate_value *v, struct error *err)
{
    v->text = strdup(word);
    return v->text == NULL ? err_sys(err, "copy a word") : 0;
}

static int parse_from(const char *word, struct predicate_value *v, struct error *err)
{
    int64_t to;

    return dates_span(word, clock_unix_us(), &v->time_us, &to, err);
}

/* `to 2026-11-22` includes the 22nd, and `to` a second what began within it. */
static int parse_to(const char *word, struct predicate_value *v, struct error *err)
{
    int64_t from;

    return dates_span(word, clock_unix_us(), &from, &v->time_us, err);
}

static int parse_number(const char *word, struct predicate_value *v, struct error *err)
{
    char *end;

    errno = 0;
    v->number = strtoll(word, &end, 10);
    if (errno != 0 || end == word || *end != '\0' || v->number < 0) {
        return err_set(err, ERR_USAGE, "a number is needed");
    }
    return 0;
}

static int parse_length(const char *word, struct predicate_value *v, struct error *err)
{
    v->time_us = clock_unix_us();
    return dates_length(word, &v->number, err);
}

static int parse_regex(const char *word, struct predicate_value *v, struct error *err)
{
    char why[120];
    int code;

    v->regex = calloc(1, sizeof *v->regex);
    if (v->regex == NULL) {
        return err_sys(err, "allocate");
    }
    code = regcomp(v->regex, word, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        (void)regerror(code, v->regex, why, sizeof why);
        free(v->regex);
        v->regex = NULL;
        return err_set(err, ERR_USAGE, "no regular expression (regex(7)): %s", why);
    }
    return 0;
}

static int parse_flag(const char *word, struct predicate_value *v, struct error *err)
{
    size_t len = 0;
    char all[640] = "";

    if (flags_meaning(word) != NULL) {
        return parse_text(word, v, err);
    }
    for (size_t i = 0; i < sizeof flag_words / sizeof flag_words[0] && len < sizeof all; i++) {
        len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", i > 0 ? ", " : "",
                                flag_words[i].word);
    }
    return err_set(err, ERR_USAGE, "no session has such a flag (there are %s)", all);
}

static int parse_state(const char *word, struct predicate_value *v, struct error *err)
{
    for (int i = SESSION_OPEN; i <= SESSION_CUT; i++) {
        if (strcmp(session_state_name((enum session_state)i), word) == 0) {
            v->number = i;
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "no such state (there are open, done, cut)");
}

static int parse_id(const char *word, struct predicate_value *v, struct error *err)
{
    size_t len = strlen(word);

    if (len == 0 || len > 2 * (size_t)CHAIN_ID || strspn(word, "0123456789abcdef") != len) {
        return err_set(err, ERR_USAGE, "an id, or the beginning of one, is hex digits");
    }
    return parse_text(word, v, err);
}

/* ---- matches ---- */

static char *fact(const struct session_row *s, const char *key, char *ret, size_t size)
{
    struct facts f = {.bytes = buf_data(&s->facts), .len = s->facts.len};

    return facts_text(&f, key, ret, size);
}

static bool match_user(const struct predicate_value *v, const struct session_row *s)
{
    char uid[24];

    (void)snprintf(uid, sizeof uid, "%" PRId64, s->uid);
    return strcmp(v->text, s->user) == 0 || strcmp(v->text, uid) == 0;
}

static bool match_host(const struct predicate_value *v, const struct session_row *s)
{
    return strcmp(v->text, s->host) == 0;
}

static bool match_tty(const struct predicate_value *v, const struct session_row *s)
{
    return strcmp(v->text, s->tty) == 0 ||
           (strncmp(s->tty, "/dev/", 5) == 0 && strcmp(v->text, s->tty + 5) == 0);
}

static bool match_title(const struct predicate_value *v, const struct session_row *s)
{
    return strstr(s->title, v->text) != NULL;
}

static bool match_command(const struct predicate_value *v, const struct session_row *s)
{
    return regexec(v->regex, s->command, 0, NULL, 0) == 0;
}

static bool match_cwd(const struct predicate_value *v, const struct session_row *s)
{
    char text[FACT];

    return strcmp(v->text, fact(s, "cwd", text, sizeof text)) == 0;
}

static bool match_way(const struct predicate_value *v, const struct session_row *s)
{
    char text[FACT];

    return strcmp(v->text, fact(s, "way_in", text, sizeof text)) == 0;
}

/* The witness's word; without one what the environment said. */
static bool match_ip(const struct predicate_value *v, const struct session_row *s)
{
    char text[FACT];

    if (*fact(s, "conn.address", text, sizeof text) == '\0') {
        (void)fact(s, "env.ssh_connection", text, sizeof text);
        text[strcspn(text, " ")] = '\0';
    }
    return strcmp(v->text, text) == 0;
}

static bool match_key(const struct predicate_value *v, const struct session_row *s)
{
    char text[FACT];
    const char *print = fact(s, "conn.key", text, sizeof text);

    return *print != '\0' && (strcmp(v->text, print) == 0 || (strncmp(print, "SHA256:", 7) == 0 &&
                                                              strcmp(v->text, print + 7) == 0));
}

static bool match_from(const struct predicate_value *v, const struct session_row *s)
{
    return s->started_us >= v->time_us;
}

static bool match_to(const struct predicate_value *v, const struct session_row *s)
{
    return s->started_us <= v->time_us;
}

/* "7" for "exit 7", "signal" for any, "signal 9", "cut". */
static bool match_exit(const struct predicate_value *v, const struct session_row *s)
{
    size_t len = strlen(v->text);

    if (isdigit((unsigned char)v->text[0])) {
        return strncmp(s->exit, "exit ", 5) == 0 && strcmp(s->exit + 5, v->text) == 0;
    }
    return len > 0 && strncmp(s->exit, v->text, len) == 0 &&
           (s->exit[len] == '\0' || s->exit[len] == ' ');
}

/* What is open lasts until now. */
static bool match_length(const struct predicate_value *v, const struct session_row *s)
{
    return (s->ended_us > 0 ? s->ended_us : v->time_us) - s->started_us >= v->number;
}

static bool match_state(const struct predicate_value *v, const struct session_row *s)
{
    return (int64_t)s->state == v->number;
}

static bool match_redactions(const struct predicate_value *v, const struct session_row *s)
{
    return s->redactions >= v->number;
}

static bool match_id(const struct predicate_value *v, const struct session_row *s)
{
    char hex[2 * CHAIN_ID + 1];

    return strncmp(io_hex(s->id, CHAIN_ID, hex), v->text, strlen(v->text)) == 0;
}

/* The flags of a session are words with blanks between. */
static bool match_flag(const struct predicate_value *v, const struct session_row *s)
{
    size_t len = strlen(v->text);

    for (const char *p = s->flags; len > 0 && (p = strstr(p, v->text)) != NULL; p += len) {
        if ((p == s->flags || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0')) {
            return true;
        }
    }
    return false;
}

const struct predicate predicates[] = {
    {"user", parse_text, match_user, 1},
    {"host", parse_text, match_host, 1},
    {"tty", parse_text, match_tty, 2},
    {"title", parse_text, match_title, 1},
    {"command", parse_regex, match_command, 1},
    {"cwd", parse_text, match_cwd, 2},
    {"way", parse_text, match_way, 1},
    {"ip", parse_text, match_ip, 2},
    {"key", parse_text, match_key, 1},
    {"from", parse_from, match_from, 1},
    {"to", parse_to, match_to, 1},
    {"fromdate", parse_from, match_from, 1}, /* sudoreplay's names */
    {"todate", parse_to, match_to, 1},
    {"exit", parse_text, match_exit, 1},
    {"duration", parse_length, match_length, 1},
    {"state", parse_state, match_state, 1},
    {"flag", parse_flag, match_flag, 2}, /* "f" is "from" to who knows sudoreplay */
    {"redactions", parse_number, match_redactions, 1},
    {"id", parse_id, match_id, 2},
    {NULL, NULL, NULL, 0},
};
