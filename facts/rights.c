/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/rights.h"

#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint64_t kept = UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_DAC_READ_SEARCH |
                             UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_DAC_OVERRIDE;

int rights_drop(struct error *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[2], next[2];

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_capget, &head, now) != 0) {
        return err_sys(err, "capabilities");
    }
    /* The bounding set first: that needs one of those that go. */
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if ((kept >> cap & 1) == 0) {
            (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
        }
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    memset(next, 0, sizeof next);
    for (int i = 0; i < 2; i++) {
        next[i].permitted = now[i].permitted & (uint32_t)(kept >> (32 * i));
        next[i].effective = next[i].permitted;
    }
    return syscall(SYS_capset, &head, next) != 0 ? err_sys(err, "drop capabilities") : 0;
}
