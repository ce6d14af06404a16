/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/marks.h"

#include <string.h>

#define FIRST_SIZE 64

static int grow(struct marks *m, const struct screen_config *config)
{
    int size = m->size == 0 ? FIRST_SIZE : m->size * 4;
    uint32_t(*entry)[MARKS_PER_CELL];

    size = size > MARKS_MAX ? MARKS_MAX : size;
    if (m->used < m->size || m->size == MARKS_MAX) {
        return m->used < m->size ? 0 : -1;
    }
    entry = config->alloc((size_t)size * sizeof *entry, config->alloc_user);
    if (entry == NULL) {
        return -1;
    }
    if (m->entry != NULL) {
        memcpy(entry, m->entry, m->used * sizeof *entry);
        config->free(m->entry, config->alloc_user);
    }
    m->entry = entry;
    m->size = (uint16_t)size;
    return 0;
}

uint16_t marks_add(struct marks *m, const struct screen_config *config, const uint32_t *chars)
{
    if (chars[0] == 0 || grow(m, config) != 0) {
        return 0;
    }
    memset(m->entry[m->used], 0, sizeof m->entry[0]);
    for (int i = 0; i < MARKS_PER_CELL && chars[i] != 0; i++) {
        m->entry[m->used][i] = chars[i];
    }
    return ++m->used;
}

int marks_get(const struct marks *m, uint16_t number, uint32_t ret[MARKS_PER_CELL])
{
    int n = 0;

    if (number == 0 || number > m->used) {
        return 0;
    }
    while (n < MARKS_PER_CELL && m->entry[number - 1][n] != 0) {
        ret[n] = m->entry[number - 1][n];
        n++;
    }
    return n;
}

bool marks_full(const struct marks *m)
{
    return m->used == MARKS_MAX;
}

void marks_close(struct marks *m, const struct screen_config *config)
{
    if (m->entry != NULL) {
        config->free(m->entry, config->alloc_user);
    }
    memset(m, 0, sizeof *m);
}
