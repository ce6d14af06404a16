/* SPDX-License-Identifier: Apache-2.0 */
/* Finding libcurl when something is first sent. */
#include <dlfcn.h>
#include <string.h>

#include "aws/http_private.h"

typedef void any_fn(void);

static any_fn *find(const struct http_library *lib, const char *name, const char **missing)
{
    void *p = dlsym(lib->handle, name);
    any_fn *fn = NULL;

    memcpy(&fn, &p, sizeof p); /* ISO C has no cast for that */
    if (fn == NULL) {
        *missing = name;
    }
    return fn;
}

#define FIND(member, name) lib->member = (__typeof__(lib->member))find(lib, name, &missing)

int http_library_load(struct http_library *lib, struct error *err)
{
    const char *missing = NULL;

    /* NODELETE: OpenSSL inside it registers exit handlers and must not vanish before them. */
    lib->handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (lib->handle == NULL) {
        (void)err_set(err, ERR_SYSTEM, "libcurl.so.4 cannot be loaded: install libcurl4");
        return -1;
    }
    FIND(global_init, "curl_global_init");
    FIND(easy_init, "curl_easy_init");
    FIND(easy_cleanup, "curl_easy_cleanup");
    FIND(easy_reset, "curl_easy_reset");
    FIND(set, "curl_easy_setopt");
    FIND(perform, "curl_easy_perform");
    FIND(getinfo, "curl_easy_getinfo");
    FIND(text, "curl_easy_strerror");
    FIND(slist_append, "curl_slist_append");
    FIND(slist_free_all, "curl_slist_free_all");
    FIND(multi_init, "curl_multi_init");
    FIND(multi_cleanup, "curl_multi_cleanup");
    FIND(multi_set, "curl_multi_setopt");
    FIND(multi_add, "curl_multi_add_handle");
    FIND(multi_remove, "curl_multi_remove_handle");
    FIND(multi_perform, "curl_multi_perform");
    FIND(multi_poll, "curl_multi_poll");
    FIND(multi_info, "curl_multi_info_read");
    if (missing != NULL) {
        (void)err_set(err, ERR_SYSTEM, "libcurl.so.4 has no %s", missing);
        return -1;
    }
    if (lib->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return err_set(err, ERR_SYSTEM, "libcurl cannot start");
    }
    return 0;
}
