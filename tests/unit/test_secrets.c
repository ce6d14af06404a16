/* SPDX-License-Identifier: Apache-2.0 */
/* The memory for what is undecided: wiped when given back, whatever becomes of it; in no dump;
 * empty in children. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "recorder/secrets.h"

#define SIZE 5000U

static void fill(uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        p[i] = 0x5a;
    }
}

static size_t not_zero(const volatile uint8_t *p, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        n += p[i] != 0;
    }
    return n;
}

/* Whether the line of this mapping's flags in smaps holds all of ${flags} ("dd" and " lo"). */
static bool mapping_has(const void *p, const char *flags, bool *ret_locked)
{
    char line[512];
    FILE *f = fopen("/proc/self/smaps", "re");
    bool within = false, found = false;

    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned long from, to;

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            within = (uintptr_t)p >= from && (uintptr_t)p < to;
        } else if (within && strncmp(line, "VmFlags:", 8) == 0) {
            found = strstr(line, flags) != NULL;
            *ret_locked = strstr(line, " lo") != NULL;
        }
    }
    (void)fclose(f);
    return found;
}

/* The region stays mapped: another allocation lies in it. */
static void what_is_given_back_is_wiped(void **state)
{
    struct secrets s = {0};
    uint8_t *stays = secrets_alloc(&s, 10), *a = secrets_alloc(&s, SIZE);
    uint8_t *b = secrets_alloc(&s, SIZE);

    (void)state;
    assert_true(stays != NULL && a != NULL && b != NULL);
    assert_int_equal(not_zero(a, SIZE), 0);
    fill(a, SIZE);
    fill(b, SIZE);
    secrets_free(&s, a); /* with another behind it */
    assert_int_equal(not_zero(a, SIZE), 0);
    assert_int_equal(not_zero(b, SIZE), SIZE);
    secrets_free(&s, b); /* the newest one */
    assert_int_equal(not_zero(b, SIZE), 0);
    assert_ptr_equal(secrets_alloc(&s, SIZE), b);
    assert_int_equal(not_zero(b, SIZE), 0);
    secrets_close(&s);
    assert_int_equal(s.total, 0);
}

/* munmap keeps nothing, but whoever has the pages otherwise would: another mapping of them shows
 * that they are wiped before. */
static void closing_wipes(void **state)
{
    struct secrets s = {0};
    uint8_t *p = secrets_alloc(&s, SIZE), *page, *copy;
    size_t size = (size_t)sysconf(_SC_PAGESIZE), whole;

    (void)state;
    assert_non_null(p);
    /* The region's pages are exchanged for shared ones that have a second address. */
    whole = s.total;
    page = (uint8_t *)((uintptr_t)p / size * size);
    int fd = memfd_create("pages", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)whole), 0);
    copy = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(copy, MAP_FAILED);
    memcpy(copy, page, (size_t)(p + SIZE - page)); /* behind that it is zero */
    assert_ptr_equal(mmap(page, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0),
                     page);
    fill(p, SIZE);
    assert_int_equal(not_zero(copy + (p - page), SIZE), SIZE);
    secrets_close(&s);
    assert_int_equal(not_zero(copy + (p - page), SIZE), 0);
    (void)munmap(copy, whole);
    close(fd);
}

static void it_is_in_no_dump_and_locked(void **state)
{
    struct secrets s = {0};
    uint8_t *p = secrets_alloc(&s, SIZE), *big = secrets_alloc(&s, 1000000);
    bool locked = false;

    (void)state;
    assert_true(p != NULL && big != NULL);
    fill(p, SIZE);
    assert_true(mapping_has(p, " dd", &locked));
    assert_true(locked || s.unlocked); /* a limit may forbid it, and then that is said */
    assert_true(mapping_has(big, " dd", &locked));
    assert_true(mapping_has(p, " wf", &locked));
    secrets_close(&s);
}

static void a_child_sees_nothing(void **state)
{
    struct secrets s = {0};
    uint8_t *p = secrets_alloc(&s, SIZE);
    int status;
    pid_t pid;

    (void)state;
    assert_non_null(p);
    fill(p, SIZE);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(not_zero(p, SIZE) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(not_zero(p, SIZE), SIZE);
    secrets_close(&s);
}

static void there_is_an_end_to_it(void **state)
{
    struct secrets s = {0};
    unsigned n = 0;

    (void)state;
    assert_null(secrets_alloc(&s, SIZE_MAX));
    assert_null(secrets_alloc(&s, SECRETS_MAX + 1U));
    while (secrets_alloc(&s, 8U * 1024 * 1024) != NULL) {
        n++;
        assert_in_range(n, 1, 12);
    }
    assert_in_range(s.total, 1, SECRETS_MAX);
    secrets_free(&s, NULL);
    secrets_close(&s);
    secrets_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_back_is_wiped), cmocka_unit_test(closing_wipes),
        cmocka_unit_test(it_is_in_no_dump_and_locked), cmocka_unit_test(a_child_sees_nothing),
        cmocka_unit_test(there_is_an_end_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
