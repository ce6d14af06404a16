/* SPDX-License-Identifier: Apache-2.0 */
/* A published policy as a recorder finds it: what passes has rules in bounds, and comes back. */
#include <stdlib.h>
#include <string.h>

#include "storage/wire/policy_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool never(void *user, const char *group)
{
    (void)user;
    return strlen(group) >= POLICY_GROUP;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy_rules r, again;
    struct policy p;
    struct buf b;

    if (policy_rules_parse(data, size, &r, NULL) != 0) {
        return 0;
    }
    policy_rules_find(&r, 1000, 1, never, NULL, &p);
    buf_init(&b, 16U * 1024 * 1024);
    if (r.n == 0 || r.n > POLICY_RULES_MAX || p.commit_ms > 10000 ||
        policy_rules_put(&b, &r, NULL) != 0 ||
        policy_rules_parse(buf_data(&b), b.len, &again, NULL) != 0 || again.n != r.n) {
        abort();
    }
    policy_rules_clear(&again);
    policy_rules_clear(&r);
    buf_clear(&b);
    return 0;
}
