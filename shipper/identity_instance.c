/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/identity_instance.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/imds.h"
#include "common/io.h"

/* On Nitro instances the board's asset tag is the instance id; on Xen the hypervisor's UUID begins
 * with ec2 ("Detect whether a host is an EC2 instance", EC2 user guide). */
#define ASSET_TAG    "/sys/devices/virtual/dmi/id/board_asset_tag"
#define XEN_UUID     "/sys/hypervisor/uuid"
#define DOCUMENT_MAX 4096

int instance_id_valid(const char *text)
{
    size_t n;

    if (strncmp(text, "i-", 2) != 0) {
        return 0;
    }
    n = strspn(text + 2, "0123456789abcdef");
    return n >= 8 && n <= 17 && text[2 + n] == '\0';
}

/* The first word of a small file. */
static void read_word(const char *path, char *ret, size_t size)
{
    struct buf b;
    size_t n = 0;

    ret[0] = '\0';
    buf_init(&b, 4096);
    if (io_read_file(AT_FDCWD, path, 4096, &b, NULL) == 0) {
        while (n < b.len && n + 1 < size && buf_data(&b)[n] > ' ') {
            ret[n] = (char)buf_data(&b)[n];
            n++;
        }
        ret[n] = '\0';
    }
    buf_clear(&b);
}

static int ask(struct imds *imds, const char *path, size_t max, struct buf *ret)
{
    return imds_get(imds, path, max, ret, NULL);
}

void instance_id(char ret[INSTANCE_ID])
{
    char word[64];
    struct imds *imds = NULL;
    struct buf b;

    read_word(ASSET_TAG, word, sizeof word);
    if (!instance_id_valid(word)) {
        read_word(XEN_UUID, word, sizeof word);
        if (strncmp(word, "ec2", 3) == 0 && imds_open(&imds, NULL) == 0) {
            buf_init(&b, sizeof word - 1);
            word[0] = '\0';
            if (ask(imds, "/latest/meta-data/instance-id", sizeof word - 1, &b) == 0 && b.len > 0) {
                memcpy(word, buf_data(&b), b.len);
                word[b.len] = '\0';
            }
            buf_clear(&b);
            imds_close(imds);
        }
    }
    (void)snprintf(ret, INSTANCE_ID, "%.32s", instance_id_valid(word) ? word : "");
}

/* The signature comes in lines; JSON and FORMAT.md want it without. */
static int unfold(struct buf *b)
{
    uint8_t *p = buf_data(b);
    size_t n = 0;

    for (size_t i = 0; i < b->len; i++) {
        if (p[i] != '\n' && p[i] != '\r') {
            p[n++] = p[i];
        }
    }
    b->len = n;
    return n > 0 ? 0 : -1;
}

int instance_describe(struct buf *document, struct buf *rsa2048)
{
    size_t d = document->len, s = rsa2048->len;
    struct imds *imds = NULL;
    int ret = 0;

    if (imds_open(&imds, NULL) == 0) {
        if (ask(imds, "/latest/dynamic/instance-identity/document", DOCUMENT_MAX, document) == 0 &&
            ask(imds, "/latest/dynamic/instance-identity/rsa2048", DOCUMENT_MAX, rsa2048) == 0 &&
            unfold(rsa2048) == 0) {
            ret = 1;
        } else {
            document->len = d;
            rsa2048->len = s;
        }
        imds_close(imds);
    }
    return ret;
}
