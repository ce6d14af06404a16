/* SPDX-License-Identifier: Apache-2.0 */
/* What the witness passes on of sshd: an authentication, and a connection. */
#include <stdlib.h>
#include <string.h>

#include "storage/wire/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct witness_auth a;
    struct witness_peer p;

    (void)witness_auth((const char *)data, size, &a);
    (void)witness_peer((const char *)data, size, &p);
    if (a.blob_len > sizeof a.blob || strlen(a.method) >= sizeof a.method ||
        strlen(a.key_type) >= sizeof a.key_type || (a.blob_len > 0) != (a.key_type[0] != '\0') ||
        strlen(p.address) >= sizeof p.address || strspn(p.port, "0123456789") != strlen(p.port)) {
        abort();
    }
    return 0;
}
