/* SPDX-License-Identifier: Apache-2.0 */
/* What the import*.c files share; no other file includes it. */
#ifndef TTYTRAIL_SHIPPER_IMPORT_IMPL_H
#define TTYTRAIL_SHIPPER_IMPORT_IMPL_H

#include "common/json.h"
#include "shipper/field.h"
#include "storage/db/session.h"
#include "storage/wire/import.h"

/** import_row(j, line, len, session, ret, err): The row that a signed manifest has of a session:
 * ${ret} is initialised, and cleared by the caller.  CORRUPT when it has none or a wrong one. */
int import_row(struct json *j, const char *line, size_t len, const uint8_t session[CHAIN_ID],
               struct session_row *ret, struct error *err);
/** import_row_object(d, session, ret, err): The same of the row's own object. */
int import_row_object(const struct field_doc *d, const uint8_t session[CHAIN_ID],
                      struct session_row *ret, struct error *err);
/** import_row_values(r, ret): What the writer is told of it; borrowed from ${r}. */
void import_row_values(const struct session_row *r, struct import_session *ret);

/** import_look(j, r, g, err): Unpack the segment ${g} and count what is in it, as sealing counted
 * it; of number 0 the header has to say what ${r} says.  CORRUPT or LIMIT otherwise. */
int import_look(struct json *j, const struct session_row *r, struct import_segment *g,
                struct error *err);

#endif
