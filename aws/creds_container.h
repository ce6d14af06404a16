/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a container's credentials may be asked for.  Over plain HTTP only this host and the three
 * addresses that ECS and EKS answer on: anybody else could read the token that is sent along, and
 * hand out keys of his own.  Source: the SDKs and Tools Reference Guide, "Container credential
 * provider".
 */
#ifndef TTYTRAIL_AWS_CREDS_CONTAINER_H
#define TTYTRAIL_AWS_CREDS_CONTAINER_H

#include <stddef.h>

#include "common/err.h"

/** creds_container_url(relative, full, ret, size, err): 1, 0 when both are "", -1 with USAGE for
 * what is no address, DENIED for one that may not be asked.  ${relative} wins. */
int creds_container_url(const char *relative, const char *full, char *ret, size_t size,
                        struct error *err);

#endif
