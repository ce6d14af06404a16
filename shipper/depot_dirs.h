/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of a store that is a directory.  Knows nothing of objects. */
#ifndef TTYTRAIL_SHIPPER_DEPOT_DIRS_H
#define TTYTRAIL_SHIPPER_DEPOT_DIRS_H

#include "common/err.h"

/** depot_dirs_no_links(root, dir, err): DENIED when there is a link, or a file, among the
 * directories from ${root}, itself apart, down to ${dir}, which is below it: a link would lead what
 * was confirmed to where nobody looks.  What does not exist is no link. */
int depot_dirs_no_links(const char *root, const char *dir, struct error *err);

#endif
