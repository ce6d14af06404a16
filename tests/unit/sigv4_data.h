/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the published SigV4 vectors, which lie beside the project and may be absent: then the
 * tests say so and are counted as skipped. */
#ifndef TTYTRAIL_TESTS_UNIT_SIGV4_DATA_H
#define TTYTRAIL_TESTS_UNIT_SIGV4_DATA_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/io.h"
#include "common/json.h"

#define MAX_TEXT (1024 * 1024)

#ifndef SIGV4_DATA /* the build says where */
#define SIGV4_DATA "../shared/data/sigv4"
#endif

static inline bool sigv4_data_is_there(void)
{
    if (access(SIGV4_DATA "/v4", R_OK) == 0) {
        return true;
    }
    (void)fprintf(stderr, "\n*** NOT TESTED: the published SigV4 vectors are not at %s\n\n",
                  SIGV4_DATA);
    return false;
}

/* Owned by the caller. */
static inline char *sigv4_data_read(const char *dir, const char *name)
{
    char path[1280];
    struct buf b;
    char *text;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    buf_init(&b, MAX_TEXT);
    assert_int_equal(io_read_file(AT_FDCWD, path, MAX_TEXT, &b, NULL), 0);
    text = strdup(buf_text(&b, NULL));
    buf_clear(&b);
    assert_non_null(text);
    return text;
}

static struct json *json; /* opened by main */

/* The text at a path, "" where there is none; owned by the caller. */
static inline char *sigv4_data_at(const char *doc, const char *path)
{
    struct buf b;
    char *text;

    buf_init(&b, MAX_TEXT);
    assert_true(json_text(json, doc, strlen(doc), path, &b, NULL) >= 0);
    text = strdup(buf_text(&b, NULL));
    buf_clear(&b);
    assert_non_null(text);
    return text;
}

#endif
