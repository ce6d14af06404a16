/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that whoever verifies brings along: keys that may sign, hosts that have to be there. */
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/field.h"
#include "shipper/verify_store.h"

#define BLANKS     " \t\r"
#define LINES_MAX  1000000U
#define NAME_LEN   (sizeof((struct verify_pin *)0)->host)
#define WORDS_LINE 3

/* The words of one line, cut in place; more than ${max} count as ${max} + 1. */
static size_t words(char *line, char **ret, size_t max)
{
    char *save = NULL;
    size_t n = 0;

    line[strcspn(line, "#")] = '\0';
    for (char *w = strtok_r(line, BLANKS, &save); w != NULL; w = strtok_r(NULL, BLANKS, &save)) {
        if (n == max) {
            return max + 1;
        }
        ret[n++] = w;
    }
    return n;
}

static int pin(struct verify_pins *p, char *line, struct error *err)
{
    char *w[WORDS_LINE];
    size_t n = words(line, w, WORDS_LINE);
    struct verify_pin one;
    void *at = p->at;

    if (n == 0) {
        return 0;
    }
    if (n != WORDS_LINE || !field_host_valid(w[0]) ||
        io_unhex(w[1], one.epoch, sizeof one.epoch) != 0 ||
        io_unhex(w[2], one.key, sizeof one.key) != 0) {
        return err_set(err, ERR_USAGE,
                       "a pin is HOST EPOCH KEY: 32 hex digits of the epoch, 64 of the public key");
    }
    memset(one.host, 0, sizeof one.host);
    memcpy(one.host, w[0], strlen(w[0]));
    if (p->n >= LINES_MAX) {
        return err_set(err, ERR_LIMIT, "more than %u pins", LINES_MAX);
    }
    if (verify_grow(&at, &p->cap, p->n, sizeof one, err) != 0) {
        return -1;
    }
    p->at = at;
    p->at[p->n++] = one;
    return 0;
}

int verify_pin_cmp(const void *a, const void *b)
{
    const struct verify_pin *x = a, *y = b;
    int c = strcmp(x->host, y->host);

    c = c != 0 ? c : memcmp(x->epoch, y->epoch, sizeof x->epoch);
    return c != 0 ? c : memcmp(x->key, y->key, sizeof x->key);
}

int verify_pins_parse(const char *text, size_t len, struct verify_pins *ret, struct error *err)
{
    size_t number = 0;

    memset(ret, 0, sizeof *ret);
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t n = end == NULL ? len : (size_t)(end - text);
        char *line = strndup(text, n);
        int rc = line == NULL ? err_sys(err, "allocate") : pin(ret, line, err);

        free(line);
        number++;
        if (rc != 0) {
            return err_wrap(err, "line %zu", number);
        }
        n += end != NULL;
        text += n;
        len -= n;
    }
    if (ret->n > 0) {
        qsort(ret->at, ret->n, sizeof *ret->at, verify_pin_cmp);
    }
    return 0;
}

void verify_pins_clear(struct verify_pins *p)
{
    free(p->at);
    memset(p, 0, sizeof *p);
}

static int name(struct verify_names *l, const char *word, struct error *err)
{
    void *at = l->at;

    if (!field_host_valid(word)) {
        return err_set(err, ERR_USAGE, "'%.80s' is no name of a host", word);
    }
    if (l->n >= LINES_MAX) {
        return err_set(err, ERR_LIMIT, "more than %u hosts", LINES_MAX);
    }
    if (verify_grow(&at, &l->cap, l->n, NAME_LEN, err) != 0) {
        return -1;
    }
    l->at = at;
    memset(l->at[l->n], 0, NAME_LEN);
    memcpy(l->at[l->n++], word, strlen(word));
    return 0;
}

int verify_names_parse(const char *text, size_t len, struct verify_names *ret, struct error *err)
{
    char *copy = strndup(text, len), *save = NULL, *line_save = NULL;
    int rc = copy == NULL ? err_sys(err, "allocate") : 0;

    memset(ret, 0, sizeof *ret);
    for (char *line = copy == NULL ? NULL : strtok_r(copy, "\n", &line_save);
         rc == 0 && line != NULL; line = strtok_r(NULL, "\n", &line_save)) {
        line[strcspn(line, "#")] = '\0';
        for (char *w = strtok_r(line, BLANKS ",", &save); rc == 0 && w != NULL;
             w = strtok_r(NULL, BLANKS ",", &save)) {
            rc = name(ret, w, err);
        }
    }
    free(copy);
    return rc;
}

void verify_names_clear(struct verify_names *n)
{
    free(n->at);
    memset(n, 0, sizeof *n);
}
