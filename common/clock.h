/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks: boot time for order and durations (it counts through suspend), wall time for anchors
 * and names, the boot id, and the start time of a process (with its pid, an identity that is not
 * reused). Pure modules take times as parameters; only programs and their loops call this one.
 */
#ifndef TTYTRAIL_COMMON_CLOCK_H
#define TTYTRAIL_COMMON_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

/** clock_boot_us(): Microseconds of CLOCK_BOOTTIME. */
uint64_t clock_boot_us(void);
/** clock_unix_us(): Microseconds since 1970 UTC of CLOCK_REALTIME. */
int64_t clock_unix_us(void);
/** clock_boot_id(ret): The kernel's boot id as 32 hex digits and a NUL; zeros when unreadable. */
void clock_boot_id(char ret[33]);
/** clock_process_start(pid): Field 22 of /proc/PID/stat (clock ticks since boot), 0 when there is
 * no such process or it cannot be read.  Source: proc(5). */
uint64_t clock_process_start(pid_t pid);
/** clock_process_parent(pid, start): The parent of the process of that pid and start time; 0 when
 * there is no such process. */
pid_t clock_process_parent(pid_t pid, uint64_t start);
/** clock_process_alive(pid, start): Whether the process of that pid and start time runs (no
 * zombie). */
bool clock_process_alive(pid_t pid, uint64_t start);
/** clock_format_utc(unix_us, fmt, ret, size): strftime in UTC. */
void clock_format_utc(int64_t unix_us, const char *fmt, char *ret, size_t size)
    __attribute__((format(strftime, 2, 0)));
/** clock_parse(text, ret_unix_us, err): A point in time as people and machines write it: seconds
 * since 1970 (9 to 11 digits, optional fraction), YYYY-MM-DD, YYYY-MM-DD[T ]HH:MM[:SS[.frac]][Z];
 * without Z local time.  USAGE for days and times that do not exist. */
int clock_parse(const char *text, int64_t *ret_unix_us, struct error *err);
/** clock_parse_span(text, ret_from, ret_to, err): As clock_parse; *ret_to is the last microsecond
 * of the day, minute or second that was named. */
int clock_parse_span(const char *text, int64_t *ret_from, int64_t *ret_to, struct error *err);

#endif
