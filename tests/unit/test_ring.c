/* SPDX-License-Identifier: Apache-2.0 */
/* What a recorder puts into its ring is what the writer reads from it, whichever halves are left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/io.h"
#include "recorder/ring.h"
#include "storage/wire/event.h"
#include "storage/wire/ring.h"
#include "tests/unit/tempdir.h"

struct place {
    char dir[200];
    struct buf facts, half[2];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct error err;

    if (p == NULL || tempdir_make(p->dir, sizeof p->dir) != 0) {
        return -1;
    }
    buf_init(&p->facts, FACTS_MAX);
    buf_init(&p->half[0], RING_HALF_BYTES);
    buf_init(&p->half[1], RING_HALF_BYTES);
    *state = p;
    return facts_put_text(&p->facts, "kind", "tty", &err);
}

static int teardown(void **state)
{
    struct place *p = *state;
    int rc = tempdir_drop(p->dir);

    buf_clear(&p->facts);
    buf_clear(&p->half[0]);
    buf_clear(&p->half[1]);
    free(p);
    return rc;
}

static struct ring *open_ring(struct place *p, uint32_t kib)
{
    struct ring_config c = {.dir = p->dir, .kib = kib, .facts = &p->facts, .started_us = 77};
    struct ring *r = NULL;
    struct error err;

    assert_int_equal(ring_open(&r, &c, &err), 0);
    return r;
}

/* Both halves of the first ring, as they lie there. */
static void look(struct place *p, struct ring_half ret[2])
{
    DIR *d = opendir(p->dir);
    struct dirent *e;
    struct error err;

    while ((e = readdir(d)) != NULL) {
        size_t len = strlen(e->d_name);
        int half = e->d_name[len - 1] - '0';

        if (e->d_name[0] != '.' && strcmp(e->d_name + len - 4, half == 0 ? "-0.0" : "-0.1") == 0) {
            buf_reset(&p->half[half]);
            assert_int_equal(
                io_read_file(dirfd(d), e->d_name, RING_HALF_BYTES, &p->half[half], &err), 0);
        }
    }
    (void)closedir(d);
    for (int i = 0; i < 2; i++) {
        memset(&ret[i], 0, sizeof ret[i]);
        (void)ring_read(buf_data(&p->half[i]), p->half[i].len, &ret[i], &err);
    }
}

static void test_events_come_back(void **state)
{
    struct place *p = *state;
    struct ring *r = open_ring(p, 512);
    struct ring_half h[2];
    struct event ev;
    struct error err;
    size_t used = 0;

    assert_int_equal(ring_put(r, 'o', 5, "hello", 5, &err), 0);
    assert_int_equal(ring_put(r, 'x', 4, "exit 0", 6, &err), 0);
    look(p, h); /* as if it had been killed now */
    assert_int_equal(p->half[0].len, 256 * 1024);
    assert_int_equal(p->half[1].len, 256 * 1024);
    assert_int_equal(h[0].last_seq, 2);
    assert_int_equal(h[0].last_t_us, 5);
    assert_int_equal(h[0].started_us, 77);
    assert_int_equal(h[0].facts.len, p->facts.len);
    assert_int_equal(event_next(h[0].frames, h[0].len, &ev, &used, &err), 1);
    assert_memory_equal(ev.bytes, "hello", 5);
    assert_null(h[1].frames);
    ring_close(r);
}

static void test_it_goes_round(void **state)
{
    static char bytes[3 * EVENT_MAX_BYTES];
    struct place *p = *state;
    struct ring *r = open_ring(p, 1);
    struct ring_half h[2];
    struct error err;
    int first;

    memset(bytes, 'a', sizeof bytes);
    for (unsigned n = 1; n <= 400; n++) {
        assert_int_equal(ring_put(r, 'o', n, bytes, n % 50 == 0 ? sizeof bytes : 1000 + n, &err),
                         0);
    }
    look(p, h);
    first = h[0].turn < h[1].turn ? 0 : 1;
    assert_int_equal(h[first].turn + 1, h[!first].turn);
    assert_true(h[!first].turn > 3);
    assert_int_equal(h[first].last_seq + 1, h[!first].first_seq);
    assert_int_equal(h[!first].last_seq, 400 + 2 * 8); /* the long ones are three events */
    assert_int_equal(h[!first].last_t_us, 400);
    ring_close(r);
}

static void test_frames_of_the_wire(void **state)
{
    struct place *p = *state;
    struct ring *r = open_ring(p, 512);
    struct event ev = {.seq = 900, .t_us = 3, .kind = 'o', .bytes = (const uint8_t *)"x", .len = 1};
    struct ring_half h[2];
    struct buf frames;
    struct error err;

    buf_init(&frames, 4096);
    assert_int_equal(event_put(&frames, &ev, &err), 0);
    assert_int_equal(frame_put(&frames, FRAME_PENDING, 0, "12345678", 8, &err), 0);
    ev.seq = 901;
    assert_int_equal(event_put(&frames, &ev, &err), 0);
    assert_int_equal(ring_put_frames(r, buf_data(&frames), frames.len, &err), 0);
    look(p, h);
    assert_int_equal(h[0].first_seq, 1);
    assert_int_equal(h[0].last_seq, 2);
    buf_clear(&frames);
    ring_close(r);
}

/* Locked while it is written; the second of one process has another name; no directory, no ring. */
static void test_whose_it_is(void **state)
{
    struct place *p = *state;
    struct ring *r = open_ring(p, 512), *second = open_ring(p, 512);
    struct ring_config nowhere = {.dir = "/nonexistent", .kib = 1, .facts = &p->facts};
    struct ring *none = NULL;
    struct dirent *e;
    struct error err;
    DIR *d = opendir(p->dir);
    int files = 0, locked = 0;

    while ((e = readdir(d)) != NULL) {
        int fd = e->d_name[0] == '.' ? -1 : openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd >= 0) {
            assert_int_equal(fstat(fd, &st), 0);
            assert_int_equal(st.st_mode & 07777, 0640);
            files++;
            locked += flock(fd, LOCK_SH | LOCK_NB) != 0;
            close(fd);
        }
    }
    (void)closedir(d);
    assert_int_equal(files, 4);
    assert_int_equal(locked, 4);
    assert_int_equal(ring_open(&none, &nowhere, &err), -1);
    assert_int_equal(err.code, ENOENT);
    ring_close(r);
    ring_close(second);
    ring_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_events_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_goes_round, setup, teardown),
        cmocka_unit_test_setup_teardown(test_frames_of_the_wire, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whose_it_is, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
