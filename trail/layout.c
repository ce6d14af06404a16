/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/layout.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name), w = strlen(with);

    return n >= w && strcmp(name + n - w, with) == 0;
}

bool layout_is_log(const char *name)
{
    return (ends(name, ".json.gz") || ends(name, ".json")) &&
           strstr(name, "CloudTrail-Digest") == NULL && strstr(name, "CloudTrail-Insight") == NULL;
}

/* "20260304T0546Z" */
static int64_t stamp_of(const char *p)
{
    char text[32];
    int64_t us = 0;

    for (int i = 0; i < 14; i++) {
        if (i == 8 ? p[i] != 'T' : i == 13 ? p[i] != 'Z' : !isdigit((unsigned char)p[i])) {
            return 0;
        }
    }
    (void)snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:00Z", p, p + 4, p + 6, p + 9,
                   p + 11);
    return clock_parse(text, &us, NULL) == 0 ? us : 0;
}

bool layout_of(const char *name, struct layout_place *ret, int64_t *ret_us)
{
    static const char mid[] = "/CloudTrail/";
    const char *at = strstr(name, mid), *account = at, *region, *end, *file;

    *ret_us = 0;
    if (at == NULL || !layout_is_log(name)) {
        return false;
    }
    while (account > name && account[-1] != '/') {
        account--;
    }
    region = at + sizeof mid - 1;
    end = strchr(region, '/');
    if (end == NULL || end == region || account == at ||
        (size_t)(account - name) >= sizeof ret->top ||
        (size_t)(at - account) >= sizeof ret->account ||
        (size_t)(end - region) >= sizeof ret->region) {
        return false;
    }
    (void)snprintf(ret->top, sizeof ret->top, "%.*s", (int)(account - name), name);
    (void)snprintf(ret->account, sizeof ret->account, "%.*s", (int)(at - account), account);
    (void)snprintf(ret->region, sizeof ret->region, "%.*s", (int)(end - region), region);
    file = strrchr(name, '/');
    for (const char *p = file; p != NULL; p = strchr(p + 1, '_')) {
        if (*p == '_' && strlen(p) > 15 && (*ret_us = stamp_of(p + 1)) != 0) {
            break;
        }
    }
    return true;
}

static int fits(int n, size_t size, struct error *err)
{
    return n >= 0 && (size_t)n < size
               ? 0
               : err_set(err, ERR_LIMIT, "name of an object is longer than S3 allows");
}

int layout_prefix(const struct layout_place *p, char *ret, size_t size, struct error *err)
{
    return fits(snprintf(ret, size, "%s%s/CloudTrail/%s/", p->top, p->account, p->region), size,
                err);
}

int layout_start(const struct layout_place *p, int64_t us, char *ret, size_t size,
                 struct error *err)
{
    char day[16], stamp[16];

    clock_format_utc(us, "%Y/%m/%d", day, sizeof day);
    clock_format_utc(us, "%Y%m%dT%H%M", stamp, sizeof stamp);
    return fits(snprintf(ret, size, "%s%s/CloudTrail/%s/%s/%s_CloudTrail_%s_%s", p->top, p->account,
                         p->region, day, p->account, p->region, stamp),
                size, err);
}

void layout_skip(const char *name, char *ret, size_t size)
{
    const char *at = strstr(name, "AWSLogs/"), *end = NULL;

    if (at != NULL) {
        at += strlen("AWSLogs/");
        at = strncmp(at, "o-", 2) == 0 && strchr(at, '/') != NULL ? strchr(at, '/') + 1 : at;
        at = strchr(at, '/'); /* behind the account: one service */
        end = at == NULL ? NULL : strchr(at + 1, '/');
    } else {
        end = strchr(name, '/');
    }
    /* '0' is the byte behind '/'. */
    if (end == NULL) {
        (void)snprintf(ret, size, "%s", name);
    } else {
        (void)snprintf(ret, size, "%.*s0", (int)(end - name), name);
    }
}

bool layout_in(const char *list, const char *word)
{
    static const char gaps[] = ", \t";
    size_t n = strlen(word);

    if (list == NULL || list[strspn(list, gaps)] == '\0') {
        return true;
    }
    for (const char *p = list + strspn(list, gaps); *p != '\0'; p += strspn(p, gaps)) {
        size_t len = strcspn(p, gaps);

        if ((len == n && memcmp(p, word, n) == 0) || (len == 3 && memcmp(p, "all", 3) == 0)) {
            return true;
        }
        p += len;
    }
    return false;
}
