/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/words.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\n"

void words_init(struct words *w)
{
    *w = (struct words){NULL, 0, 0};
}

void words_clear(struct words *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->word[i].text);
    }
    free(w->word);
    words_init(w);
}

static int add(struct words *w, const char *text, size_t len, bool quoted, struct error *err)
{
    if (w->count == w->cap) {
        size_t cap = w->cap == 0 ? 16 : w->cap * 2;
        struct word *more = reallocarray(w->word, cap, sizeof *more);

        if (more == NULL) {
            return err_sys(err, "copy the expression");
        }
        w->word = more;
        w->cap = cap;
    }
    w->word[w->count].text = strndup(text, len);
    if (w->word[w->count].text == NULL) {
        return err_sys(err, "copy the expression");
    }
    w->word[w->count++].quoted = quoted;
    return 0;
}

static int split(struct words *w, const char *text, struct error *err)
{
    for (const char *p = text + strspn(text, BLANKS); *p != '\0'; p += strspn(p, BLANKS)) {
        const char *end;

        if (*p == '\'' || *p == '"') {
            end = strchr(p + 1, *p);
            if (end == NULL) {
                return err_set(err, ERR_USAGE, "word %zu: the quote is never closed", w->count + 1);
            }
            if (add(w, p + 1, (size_t)(end - p) - 1, true, err) != 0) {
                return -1;
            }
            p = end + 1;
            continue;
        }
        end = strchr("()!", *p) != NULL ? p + 1 : p + strcspn(p, BLANKS "()");
        if (add(w, p, (size_t)(end - p), false, err) != 0) {
            return -1;
        }
        p = end;
    }
    return 0;
}

int words_take(struct words *w, int argc, char *const *argv, size_t max_bytes, struct error *err)
{
    size_t total = 0;

    for (int i = 0; i < argc; i++) {
        total += strlen(argv[i]) + 1;
        if (total > max_bytes) {
            return err_set(err, ERR_USAGE, "expression is longer than %zu bytes", max_bytes);
        }
    }
    if (argc == 1 && strpbrk(argv[0], BLANKS) != NULL) {
        return split(w, argv[0], err);
    }
    for (int i = 0; i < argc; i++) {
        if (add(w, argv[i], strlen(argv[i]), false, err) != 0) {
            return -1;
        }
    }
    return 0;
}
