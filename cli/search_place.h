/* SPDX-License-Identifier: Apache-2.0 */
/* Where the search index of a database lies. */
#ifndef TTYTRAIL_CLI_SEARCH_PLACE_H
#define TTYTRAIL_CLI_SEARCH_PLACE_H

#include <stddef.h>

#include "common/err.h"

/** search_place(index_or_null, db, ret, size, err): ${index_or_null} as --index; else beside the
 * database, or in the user's cache where that is not his to write.  USAGE where there is no such
 * place. */
int search_place(const char *index_or_null, const char *db, char *ret, size_t size,
                 struct error *err);

#endif
