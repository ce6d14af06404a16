/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/expression.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "replay/predicates.h"
#include "replay/words.h"

enum node_kind { NODE_PREDICATE, NODE_AND, NODE_OR, NODE_NOT };

struct node {
    enum node_kind kind;
    const struct predicate *predicate;
    struct predicate_value value;
    int left, right; /* indices of nodes; NOT uses left */
};

struct expression {
    struct node nodes[EXPRESSION_MAX_NODES];
    int count, root; /* root -1: matches everything */
};

struct parser {
    struct expression *e;
    const struct words *w;
    size_t at;
    int depth;
};

static int fail_at(const struct parser *p, size_t at, const char *what, struct error *err)
{
    char shown[80];

    if (at >= p->w->count) {
        return err_set(err, ERR_USAGE, "expression ends after word %zu: %s", p->w->count, what);
    }
    const char *word = p->w->word[at].text;
    assert(word != NULL); /* words_take copies every word or fails */
    return err_set(err, ERR_USAGE, "word %zu, '%s': %s", at + 1,
                   log_escape(word, strnlen(word, 40), shown, sizeof shown), what);
}

/* Quoted words are values, never operators. */
static const char *peek(const struct parser *p)
{
    if (p->at >= p->w->count || p->w->word[p->at].quoted) {
        return NULL;
    }
    return p->w->word[p->at].text;
}

static bool peek_is(const struct parser *p, const char *a, const char *b)
{
    const char *word = peek(p);

    return word != NULL && (strcmp(word, a) == 0 || (b != NULL && strcmp(word, b) == 0));
}

static int add_node(struct parser *p, enum node_kind kind, int left, int right, struct error *err)
{
    struct expression *e = p->e;

    if (e->count == EXPRESSION_MAX_NODES) {
        return err_set(err, ERR_USAGE, "expression has more than %d parts", EXPRESSION_MAX_NODES);
    }
    e->nodes[e->count] = (struct node){.kind = kind, .left = left, .right = right};
    return e->count++;
}

static const struct predicate *find_predicate(const struct parser *p, struct error *err)
{
    const struct predicate *found = NULL;
    const char *word = peek(p);
    size_t len;

    if (word == NULL || *word == '\0') {
        (void)fail_at(p, p->at, "a predicate (" PREDICATE_NAMES ") or '(' is missing", err);
        return NULL;
    }
    len = strlen(word);
    for (const struct predicate *c = predicates; c->name != NULL; c++) {
        if (strcmp(c->name, word) == 0) {
            return c;
        }
        if (strncmp(c->name, word, len) == 0 && len >= c->least) {
            if (found != NULL && found->match != c->match) {
                (void)fail_at(p, p->at, "ambiguous, more letters are needed", err);
                return NULL;
            }
            found = c;
        }
    }
    if (found == NULL && strcmp(word, "last") == 0) {
        (void)fail_at(p, p->at, "no predicate; --limit 1 lists the newest session", err);
    } else if (found == NULL) {
        (void)fail_at(p, p->at, "no such predicate (there are " PREDICATE_NAMES ")", err);
    }
    return found;
}

static int parse_predicate(struct parser *p, struct error *err)
{
    const struct predicate *predicate = find_predicate(p, err);
    struct predicate_value value = {.text = NULL};
    struct error cause;
    int node;

    if (predicate == NULL) {
        return -1;
    }
    p->at++;
    if (p->at >= p->w->count) {
        return err_set(err, ERR_USAGE, "expression ends after word %zu: '%s' needs a value",
                       p->w->count, predicate->name);
    }
    err_clear(&cause);
    if (predicate->parse(p->w->word[p->at].text, &value, &cause) != 0) {
        return fail_at(p, p->at, cause.text, err);
    }
    p->at++;
    node = add_node(p, NODE_PREDICATE, -1, -1, err);
    if (node < 0) {
        predicate_value_clear(&value);
        return -1;
    }
    p->e->nodes[node].predicate = predicate;
    p->e->nodes[node].value = value;
    return node;
}

static int parse_or(struct parser *p, struct error *err);

static int parse_factor(struct parser *p, struct error *err)
{
    size_t opened = p->at;
    int node;

    if (!peek_is(p, "not", "!") && !peek_is(p, "(", NULL)) {
        return parse_predicate(p, err);
    }
    if (p->depth == EXPRESSION_MAX_DEPTH) {
        return fail_at(p, p->at, "nested too deeply", err);
    }
    p->depth++;
    p->at++;
    if (strcmp(p->w->word[opened].text, "(") == 0) {
        node = parse_or(p, err);
        if (node >= 0 && !peek_is(p, ")", NULL)) {
            node = p->at < p->w->count ? fail_at(p, p->at, "')' was expected here", err)
                                       : fail_at(p, opened, "is never closed", err);
        } else if (node >= 0) {
            p->at++;
        }
    } else {
        node = parse_factor(p, err);
        node = node < 0 ? -1 : add_node(p, NODE_NOT, node, -1, err);
    }
    p->depth--;
    return node;
}

static int parse_and(struct parser *p, struct error *err)
{
    int left = parse_factor(p, err);

    while (left >= 0 && p->at < p->w->count && !peek_is(p, "or", "||") && !peek_is(p, ")", NULL)) {
        if (peek_is(p, "and", "&&")) {
            p->at++;
        }
        int right = parse_factor(p, err);
        left = right < 0 ? -1 : add_node(p, NODE_AND, left, right, err);
    }
    return left;
}

static int parse_or(struct parser *p, struct error *err)
{
    int left = parse_and(p, err);

    while (left >= 0 && peek_is(p, "or", "||")) {
        p->at++;
        int right = parse_and(p, err);
        left = right < 0 ? -1 : add_node(p, NODE_OR, left, right, err);
    }
    return left;
}

int expression_parse(struct expression **ret, int argc, char *const *argv, struct error *err)
{
    struct words words;
    struct expression *e = NULL;
    int result = -1;

    words_init(&words);
    e = calloc(1, sizeof *e);
    if (e == NULL) {
        (void)err_sys(err, "make an expression");
        goto out;
    }
    e->root = -1;
    if (words_take(&words, argc, argv, EXPRESSION_MAX_TEXT, err) != 0) {
        goto out;
    }
    if (words.count > 0) {
        struct parser p = {.e = e, .w = &words};

        e->root = parse_or(&p, err);
        if (e->root < 0) {
            goto out;
        }
        if (p.at < words.count) {
            (void)fail_at(&p, p.at, "nothing opens it",
                          err); /* only ')' can stop the parser here */
            goto out;
        }
    }
    *ret = e;
    e = NULL;
    result = 0;
out:
    expression_free(e);
    words_clear(&words);
    return result;
}

/* As deep as the tree, which a chain of `and` makes EXPRESSION_MAX_NODES at most. */
static bool match_node(const struct expression *e, int at, const struct session_row *s)
{
    const struct node *n = &e->nodes[at];

    switch (n->kind) {
    case NODE_AND:
        return match_node(e, n->left, s) && match_node(e, n->right, s);
    case NODE_OR:
        return match_node(e, n->left, s) || match_node(e, n->right, s);
    case NODE_NOT:
        return !match_node(e, n->left, s);
    case NODE_PREDICATE:
    default:
        return n->predicate->match(&n->value, s);
    }
}

bool expression_match(const struct expression *e, const struct session_row *s)
{
    return e->root < 0 || match_node(e, e->root, s);
}

void expression_free(struct expression *e)
{
    if (e == NULL) {
        return;
    }
    for (int i = 0; i < e->count; i++) {
        predicate_value_clear(&e->nodes[i].value);
    }
    free(e);
}
