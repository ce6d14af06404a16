/* SPDX-License-Identifier: Apache-2.0 */
/* Facts as a recorder sends them: a list that passes is walked to its end, and makes a policy in
 * bounds. */
#include <stdlib.h>

#include "storage/wire/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *value;
    struct policy policy;
    struct facts f;
    char key[65];
    size_t at = 0, len;

    if (facts_parse(data, size, &f, NULL) != 0) {
        return 0;
    }
    while (facts_next(&f, &at, key, &value, &len)) {
    }
    policy_defaults(&policy);
    policy_from(&policy, &f);
    if (at != size || policy.commit_ms > 10000 || policy.on_writer_loss > POLICY_LOSS_CONTINUE) {
        abort();
    }
    return 0;
}
