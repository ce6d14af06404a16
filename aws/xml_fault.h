/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AWS's services say in XML when they refuse: <Error> (S3) and <ErrorResponse><Error> (STS).
 * What is taken is short, printable and of one line, whatever the server sent.
 */
#ifndef TTYTRAIL_AWS_XML_FAULT_H
#define TTYTRAIL_AWS_XML_FAULT_H

#include <stddef.h>

struct xml_fault {
    char code[64], message[200], region[64];
};

/** xml_fault_read(bytes, len, ret): ${ret} is left empty where there is none. */
void xml_fault_read(const void *bytes, size_t len, struct xml_fault *ret);

#endif
