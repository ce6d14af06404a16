/* SPDX-License-Identifier: Apache-2.0 */
/* Replays a corpus (files, or directories of them) through a fuzz target without libFuzzer, so that
 * every build and compiler runs it.  Fails when there is nothing to replay. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t len = 0, cap = 0;

    if (f == NULL) {
        perror(path);
        exit(1);
    }
    for (;;) {
        if (len == cap) {
            cap = cap == 0 ? 65536 : cap * 2;
            bytes = realloc(bytes, cap);
            if (bytes == NULL) {
                exit(1);
            }
        }
        size_t n = fread(bytes + len, 1, cap - len, f);
        if (n == 0) {
            break;
        }
        len += n;
    }
    fclose(f);
    /* An exact copy, so that a sanitizer sees every read beyond the end. */
    uint8_t *exact = malloc(len == 0 ? 1 : len);
    if (exact == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < len; i++) {
        exact[i] = bytes[i];
    }
    free(bytes);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    replayed++;
}

static void replay(const char *path)
{
    struct stat st;
    DIR *d;
    struct dirent *e;

    if (stat(path, &st) != 0) {
        perror(path);
        exit(1);
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    d = opendir(path);
    if (d == NULL) {
        perror(path);
        exit(1);
    }
    while ((e = readdir(d)) != NULL) {
        char child[4096];

        if (e->d_name[0] != '.') {
            (void)snprintf(child, sizeof child, "%s/%s", path, e->d_name);
            replay(child);
        }
    }
    closedir(d);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    printf("%u inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
