/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of real programs replayed through the core: no secret comes out, ordinary text does, and
 * whatever happens to the order of events in time, four keys in a row that the screen did not show
 * are released by a rule that says so.  The traces of ../shared, where they are, and our own.
 */
#include <dirent.h>

#include "recorder/redact.h"
#include "screen/screen.h"
#include "trace.h"

#define LEAK   4U
#define DUMP   (1U << 20)
#define MARKS  4096
#define SLICES 64

struct replay {
    const struct trace *trace;
    struct redact *core;
    uint64_t now;
    /* input: released bytes, with the number of the typed byte that each was */
    uint8_t *input;
    size_t n_input;
    bool released[TRACE_TYPED], redrawn[TRACE_TYPED];
    uint64_t typed_us[TRACE_TYPED];
    uint8_t *output;
    size_t n_output, n_shown;
    struct {
        uint64_t from, to;
    } marks[MARKS];
    size_t n_marks, hidden;
    struct screen *screen;
    uint8_t *grams; /* a set of hashes of what stood on the screen, three characters in a row */
    unsigned flags;
};

#define GRAM_BITS (1U << 22)

static unsigned gram_hash(const uint32_t *c)
{
    uint64_t h = 1;

    for (int i = 0; i < 3; i++) {
        h = (h ^ c[i]) * 0x9e3779b97f4a7c15U;
    }
    return (unsigned)(h >> 42) % GRAM_BITS;
}

static void look(struct replay *p)
{
    for (int row = 0; row < screen_rows(p->screen); row++) {
        const struct screen_cell *cells = screen_row(p->screen, row);
        uint32_t last[3] = {0};

        for (int i = 0; i < screen_cols(p->screen); i++) {
            unsigned bit;

            if (cells[i].ch == SCREEN_TAIL) {
                continue;
            }
            memmove(last, last + 1, sizeof last - sizeof last[0]);
            last[2] = cells[i].ch != 0 ? cells[i].ch : ' ';
            bit = gram_hash(last);
            p->grams[bit / 8] |= (uint8_t)(1U << bit % 8);
        }
    }
}

/* ---- the core's sink ---- */

/* Which typed byte was released: the first of that value that was not, of that time or, where it
 * completed a key of that time, later. */
static void on_input(void *user, uint64_t t_us, const uint8_t *bytes, size_t len)
{
    struct replay *p = user;
    size_t at = 0;

    for (size_t i = 0; i < len; i++) {
        while (at < p->trace->n_typed &&
               !(p->typed_us[at] >= t_us && !p->released[at] && p->trace->typed[at] == bytes[i])) {
            at++;
        }
        assert_true(at < p->trace->n_typed);
        p->released[at] = true;
        assert_true(p->n_input < DUMP);
        p->input[p->n_input++] = bytes[i];
    }
}

static void on_output(void *user, uint64_t t_us, const uint8_t *bytes, size_t len)
{
    struct replay *p = user;

    (void)t_us;
    assert_true(p->n_output + len <= DUMP);
    memcpy(p->output + p->n_output, bytes, len);
    p->n_output += len;
}

static void on_mark(void *user, uint64_t from, uint64_t to, const char *what, const char *reader)
{
    struct replay *p = user;

    assert_true(from <= to && to <= p->now && reader != NULL);
    if (strncmp(what, "redacted ", 9) == 0) {
        p->hidden++;
    } else {
        assert_true(p->n_marks < MARKS);
        p->marks[p->n_marks].from = from;
        p->marks[p->n_marks++].to = to;
    }
}

static void on_pending(void *user, uint64_t t_us, bool at_once)
{
    (void)user;
    (void)t_us;
    (void)at_once;
}

static void on_reader(void *user, char ret[REDACT_READER])
{
    (void)user;
    (void)snprintf(ret, REDACT_READER, "program");
}

/* ---- replaying ---- */

/* Programs were waiting for their lines, but for the one of which the name says so. */
static int unread_in(const struct replay *p)
{
    return strstr(p->trace->name, "ahead") != NULL ? -1 : 0;
}

static void catch_up(struct replay *p, uint64_t to)
{
    uint64_t due;

    while ((due = redact_deadline(p->core)) <= to && due != REDACT_NO_PENDING) {
        struct redact_tty tty = {
            .lflag = p->flags, .job = 77, .foreign = true, .unread = unread_in(p)};

        p->now = due > p->now ? due : p->now;
        redact_tick(p->core, &tty, p->now);
        if (redact_deadline(p->core) <= p->now) {
            p->now += 10000;
        }
    }
    p->now = to > p->now ? to : p->now;
}

static void type(struct replay *p, const struct trace_event *e, size_t from, size_t n)
{
    const uint8_t *slice;
    uint8_t *to;
    size_t len;
    uint64_t t = p->now;

    for (size_t i = from; i < from + n; i++) {
        p->typed_us[e->first + i] = t;
    }
    while (redact_space(p->core, &to) < n) {
        catch_up(p, p->now + 100000);
    }
    memcpy(to, e->bytes + from, n);
    redact_typed(p->core, n, t);
    while ((len = redact_next(p->core, &slice)) > 0) {
        struct redact_tty before = {
            .lflag = e->before, .job = 77, .foreign = true, .unread = unread_in(p)};
        struct redact_tty after = before;

        after.lflag = e->after;
        p->flags = e->after;
        redact_before(p->core, &before);
        redact_written(p->core, len, &after, p->now);
    }
}

static void show(struct replay *p, const uint8_t *bytes, size_t len)
{
    struct redact_tty tty = {.lflag = p->flags, .job = 77, .foreign = true, .unread = unread_in(p)};

    screen_feed(p->screen, bytes, len);
    look(p);
    p->n_shown += len;
    redact_output(p->core, bytes, len, &tty, p->now);
}

static void happen(struct replay *p, const struct trace_event *e, uint64_t *random, bool split)
{
    size_t from = 0;

    while (from < e->len || e->dir == 'm') {
        size_t n = e->len - from;

        if (e->dir == 'm') {
            p->flags = e->after;
            return;
        }
        n = split && n > 1 ? 1 + check_random(random) % n : n;
        if (e->dir == 'i') {
            type(p, e, from, n);
        } else {
            show(p, e->bytes + from, n);
        }
        from += n;
    }
}

static void replay_open(struct replay *p, const struct trace *t)
{
    struct redact_config config = {
        .policy = REDACT_BALANCED,
        .mask_hide = true,
        .hold_max_kib = 64,
        .hold_max_s = 30,
        .typeahead_hold_s = 2,
        .max_no_echo = 512,
        .prompt_patterns = "",
        .rows = 24,
        .cols = 80,
    };
    struct redact_sink sink = {p, on_input, on_output, on_mark, on_pending, on_reader};
    struct screen_config screen = {.rows = 24, .cols = 80};
    struct error err;

    memset(p, 0, sizeof *p);
    p->trace = t;
    p->input = malloc(DUMP);
    p->output = malloc(DUMP);
    p->grams = calloc(1, GRAM_BITS / 8);
    assert_true(p->input != NULL && p->output != NULL && p->grams != NULL);
    MUST(redact_new(&p->core, &config, &sink, &err));
    MUST(screen_new(&p->screen, &screen, &err));
}

static void replay_close(struct replay *p)
{
    redact_free(p->core);
    screen_free(p->screen);
    free(p->input);
    free(p->output);
    free(p->grams);
}

/* ${jitter_us}: events are moved by up to so much, but keep their order within a direction. */
static void replay(struct replay *p, uint64_t *random, uint64_t jitter_us, bool split)
{
    const struct trace *t = p->trace;
    uint64_t zero = t->events[0].t_us;
    size_t next[2] = {0, 0}; /* typed; shown and modes */
    uint64_t late[2] = {0, 0};

    for (;;) {
        const struct trace_event *e[2] = {NULL, NULL};
        int which;

        for (int d = 0; d < 2; d++) {
            while (next[d] < t->n_events && (t->events[next[d]].dir == 'i') != (d == 0)) {
                next[d]++;
            }
            e[d] = next[d] < t->n_events ? &t->events[next[d]] : NULL;
            if (jitter_us > 0 && late[d] == 0) {
                late[d] = 1 + check_random(random) % jitter_us;
            }
        }
        if (e[0] == NULL && e[1] == NULL) {
            break;
        }
        which = e[0] == NULL                                  ? 1
                : e[1] == NULL                                ? 0
                : jitter_us == 0                              ? next[0] > next[1]
                : e[0]->t_us + late[0] > e[1]->t_us + late[1] ? 1
                                                              : 0;
        catch_up(p, e[which]->t_us - zero + 1000000 + late[which]);
        happen(p, e[which], random, split);
        next[which]++;
        late[which] = 0;
    }
    catch_up(p, p->now + 40000000);
    redact_end(p->core, p->now);
}

/* ---- judging ---- */

static bool contains(const uint8_t *hay, size_t n, const char *needle, size_t len)
{
    return memmem(hay, n, needle, len) != NULL;
}

static unsigned leaks(const struct replay *p)
{
    unsigned found = 0;

    for (size_t s = 0; s < p->trace->n_secrets; s++) {
        const char *secret = p->trace->secrets[s];
        size_t len = strlen(secret);

        for (size_t i = 0; i + LEAK <= len; i++) {
            if (contains(p->input, p->n_input, secret + i, LEAK) ||
                contains(p->output, p->n_output, secret + i, LEAK)) {
                found++;
                break;
            }
        }
    }
    return found;
}

static void count(const struct replay *p, char kind, size_t *all, size_t *lost)
{
    for (size_t i = 0; i < p->trace->n_typed; i++) {
        *all += p->trace->kinds[i] == kind;
        *lost += p->trace->kinds[i] == kind && !p->released[i];
    }
}

static bool excused(const struct replay *p, size_t i)
{
    for (size_t m = 0; m < p->n_marks; m++) {
        if (p->typed_us[i] >= p->marks[m].from && p->typed_us[i] <= p->marks[m].to) {
            return true;
        }
    }
    return false;
}

static bool is_typing(const struct trace *t, size_t i)
{
    return t->typed[i] >= 0x20 && t->typed[i] < 0x7f && strchr("tks", t->kinds[i]) != NULL;
}

/* Whether the screen showed byte ${i} together with two neighbours, one way or another. */
static bool shown(const struct replay *p, size_t i)
{
    for (size_t from = i >= 2 ? i - 2 : 0; from <= i && from + 3 <= p->trace->n_typed; from++) {
        uint32_t gram[3];
        unsigned bit;

        for (size_t j = 0; j < 3; j++) {
            gram[j] = p->trace->typed[from + j];
        }
        bit = gram_hash(gram);
        if ((p->grams[bit / 8] >> bit % 8 & 1) != 0) {
            return true;
        }
    }
    return false;
}

static void explain(const struct replay *p, size_t to)
{
    for (size_t i = to > 12 ? to - 12 : 0; i < to + 8 && i < p->trace->n_typed; i++) {
        print_message("%zu at %llu: %c%s%s%s\n", i, (unsigned long long)p->typed_us[i],
                      p->trace->typed[i] < 32 ? '?' : p->trace->typed[i],
                      p->released[i] ? " released" : "", shown(p, i) ? " shown" : "",
                      excused(p, i) ? " excused" : "");
    }
    for (size_t m = 0; m < p->n_marks; m++) {
        print_message("mark %llu to %llu\n", (unsigned long long)p->marks[m].from,
                      (unsigned long long)p->marks[m].to);
    }
}

static void check_unseen(const struct replay *p)
{
    size_t run = 0;

    for (size_t i = 0; i < p->trace->n_typed; i++) {
        if (!p->released[i] || !is_typing(p->trace, i) || shown(p, i) || excused(p, i)) {
            run = 0;
        } else if (++run == LEAK) {
            explain(p, i);
            fail_msg("%s: four unseen keys released, before typed byte %zu", p->trace->name, i);
        }
    }
}

struct total {
    size_t traces, secrets, leaks, text, text_lost, keys, keys_lost;
};

static void check_trace(const struct trace *t, struct total *total, unsigned rounds)
{
    struct replay *p = malloc(sizeof *p);
    uint64_t random = 1;
    unsigned n;

    assert_non_null(p);
    assert_int_equal(t->labelled, t->n_typed);
    replay_open(p, t);
    replay(p, &random, 0, false);
    n = leaks(p);
    total->traces++;
    total->secrets += t->n_secrets;
    total->leaks += n;
    count(p, 't', &total->text, &total->text_lost);
    count(p, 'k', &total->keys, &total->keys_lost);
    if (getenv("TRACE_VERBOSE") != NULL || n > 0) {
        size_t a = 0, b = 0, c = 0, d = 0;

        count(p, 't', &a, &b);
        count(p, 'k', &c, &d);
        print_message("%-36s secrets %zu leaked %u, text %zu lost %zu, keys %zu lost %zu, marks "
                      "%zu hidden %zu\n",
                      t->name, t->n_secrets, n, a, b, c, d, p->n_marks, p->hidden);
    }
    check_unseen(p);
    replay_close(p);
    for (unsigned i = 0; i < rounds; i++) {
        random = i + 2;
        replay_open(p, t);
        replay(p, &random, i % 2 == 0 ? 200000 : 20000, i % 3 != 0);
        check_unseen(p);
        replay_close(p);
    }
    free(p);
}

/* Traces that are said to be undecidable where they come from. */
static bool is_hard(const char *name)
{
    return strncmp(name, "d19_", 4) == 0 || strncmp(name, "d25_", 4) == 0;
}

static void check_all(const char *dir, const char *suffix, struct total *total, unsigned rounds)
{
    DIR *d = opendir(dir);
    struct dirent *entry;

    while (d != NULL && (entry = readdir(d)) != NULL) {
        size_t len = strlen(entry->d_name);
        struct trace *t;
        char name[80];

        if (len <= strlen(suffix) || strcmp(entry->d_name + len - strlen(suffix), suffix) != 0 ||
            is_hard(entry->d_name)) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)(len - strlen(suffix)), entry->d_name);
        t = trace_load(dir, name, suffix);
        check_trace(t, total, rounds);
        trace_free(t);
    }
    if (d != NULL) {
        closedir(d);
    }
}

static void judge(const struct total *total)
{
    print_message("%zu traces, %zu secrets, %zu leaked; text %zu, lost %zu; keys %zu, lost %zu\n",
                  total->traces, total->secrets, total->leaks, total->text, total->text_lost,
                  total->keys, total->keys_lost);
    assert_int_equal(total->leaks, 0);
    assert_true(total->text_lost * 1000 <= total->text * 2);
    assert_true(total->keys_lost * 5 <= total->keys);
}

static unsigned rounds(void)
{
    const char *asked = getenv("TRACE_ROUNDS");

    return asked != NULL ? (unsigned)strtoul(asked, NULL, 10) : 6;
}

static void test_shared_traces(void **state)
{
    struct total total = {0};

    (void)state;
    check_all(TRACES_SHARED, ".rec.trace", &total, rounds());
    if (total.traces == 0) {
        print_message("*** NOT TESTED: %s is absent: its traces were not replayed\n",
                      TRACES_SHARED);
        return;
    }
    judge(&total);
}

static void test_own_traces(void **state)
{
    struct total total = {0};

    (void)state;
    check_all(TRACES_OWN, ".trace", &total, rounds());
    assert_true(total.traces > 0);
    judge(&total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_traces),
        cmocka_unit_test(test_own_traces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
