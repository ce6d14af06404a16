/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases of the AWS SDKs' own test suites, and ours of the same shapes: JSON documents, files below
 * a directory of the test's own, an environment that holds nothing else.  The SDKs' lie beside the
 * project and may be absent; the tests say so then, and run ours alone.
 */
#ifndef TTYTRAIL_TESTS_UNIT_CREDS_DATA_H
#define TTYTRAIL_TESTS_UNIT_CREDS_DATA_H

#include "tests/unit/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/io.h"
#include "common/json.h"
#include "tests/unit/tempdir.h"

#ifndef CREDS_DATA /* the build says where */
#define CREDS_DATA "../shared/data/sdk-tests"
#define CREDS_OWN  "tests/unit/creds"
#endif
#define DATA_MAX ((size_t)4 * 1024 * 1024)

static struct json *data_json; /* opened by data_start */
static char data_dir[256];     /* made by data_start */

static inline bool data_sdk_is_there(void)
{
    if (access(CREDS_DATA, R_OK) == 0) {
        return true;
    }
    (void)fprintf(stderr, "\n*** NOT TESTED: the SDKs' own cases are not at %s\n\n", CREDS_DATA);
    return false;
}

static inline int data_start(void)
{
    return json_open(&data_json, NULL) == 0 ? tempdir_make(data_dir, sizeof data_dir) : -1;
}

static inline void data_end(void)
{
    json_close(data_json);
    (void)tempdir_drop(data_dir);
}

/* Owned by the caller; NULL when there is no such file. */
static inline char *data_file(const char *dir, const char *name)
{
    struct buf b;
    char *path, *text = NULL;

    assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
    buf_init(&b, DATA_MAX);
    if (io_read_file(AT_FDCWD, path, DATA_MAX, &b, NULL) == 0) {
        text = check_copy(buf_text(&b, NULL));
    }
    buf_clear(&b);
    free(path);
    return text;
}

/* The text at a path of a document, "" where there is none; owned by the caller. */
static inline char *data_at(const char *doc, const char *path)
{
    struct buf b;
    char *text;

    buf_init(&b, DATA_MAX);
    if (json_text(data_json, doc, strlen(doc), path, &b, NULL) < 0) {
        fail_msg("%s of %.200s", path, doc);
    }
    text = check_copy(buf_text(&b, NULL));
    buf_clear(&b);
    return text;
}

static inline void data_each(const char *doc, const char *path,
                             int (*cb)(void *user, const struct json_item *item), void *user)
{
    struct json *own = NULL; /* callbacks look into documents too */

    assert_int_equal(json_open(&own, NULL), 0);
    assert_int_equal(json_each(own, doc, strlen(doc), path, cb, user, NULL), 0);
    json_close(own);
}

/* Absolute paths of cases lie below data_dir. */
static inline void data_write(const char *name, const char *text)
{
    char *path, *slash;

    assert_true(asprintf(&path, "%s/%s", data_dir, *name == '/' ? name + 1 : name) > 0);
    slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(io_mkdirs(path, 0700, NULL), 0);
    *slash = '/';
    assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, text, strlen(text), NULL), 0);
    free(path);
}

/* An empty directory and an empty environment. */
static inline void data_fresh(void)
{
    (void)tempdir_drop(data_dir);
    assert_int_equal(io_mkdirs(data_dir, 0700, NULL), 0);
    assert_int_equal(clearenv(), 0);
}

static inline int data_setenv(void *user, const struct json_item *item)
{
    (void)user;
    return setenv(item->key, item->value, 1);
}

static inline int data_setfile(void *user, const struct json_item *item)
{
    (void)user;
    data_write(item->key, item->value);
    return 0;
}

#endif
