//  curl.h - libcurl's functions, loaded by the first actor that speaks HTTP.
//
//  A program without an HTTP sink neither loads nor initialises it: so it is not linked, and its
//  functions are called through a table. It stays loaded until the process ends.

#ifndef ARTEL_CURL_H
#define ARTEL_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define ARTEL_CURL(F)                                                           \
    F(curl_global_init) F(curl_getdate)                                         \
    F(curl_easy_init) F(curl_easy_cleanup) F(curl_easy_reset)                   \
    F(curl_easy_setopt) F(curl_easy_getinfo) F(curl_easy_strerror)              \
    F(curl_slist_append) F(curl_slist_free_all)                                 \
    F(curl_multi_init) F(curl_multi_cleanup) F(curl_multi_setopt)               \
    F(curl_multi_add_handle) F(curl_multi_remove_handle)                        \
    F(curl_multi_socket_action) F(curl_multi_info_read)

typedef struct {
#define F(name) __typeof__(&name) name;
    ARTEL_CURL(F)
#undef F
} artel_curl_t;

//  The functions; loads and initialises the library if need be, from any thread. ARTEL_EMFILE;
//  ARTEL_ENOLIB: there is none, or not all of it.
int
artel_curl_get(const artel_curl_t **ret);

#endif
