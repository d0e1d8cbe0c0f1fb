//  curl.c - libcurl's functions, loaded by the first actor that speaks HTTP.

#include "curl.h"

#include "errors.h"
#include "guest.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <pthread.h>
#include <stdbool.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define LIBRARY "libcurl.so.4"
#define CRYPTO "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)

enum { LOAD_FDS = 8 };          //  what the loader has open at a time

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;      //  of loading
static artel_curl_t s_functions;
static bool s_ready;

//  fork() waits for who is loading: the child could not go on with it.
static void
s_before_fork(void)
{
    pthread_mutex_lock(&s_lock);
}

static void
s_after_fork(void)
{
    pthread_mutex_unlock(&s_lock);
}

static void
s_install(void)
{
    pthread_atfork(s_before_fork, s_after_fork, s_after_fork);
}

static int
s_find_functions(void *library)
{
    bool all = true;
#define F(name) all &= (*(void **) &s_functions.name = dlsym(library, #name)) != NULL;
    ARTEL_CURL(F)
#undef F
    return all ? 0 : ARTEL_ENOLIB;
}

//  Were OpenSSL initialised by libcurl, its exit handler would pull it from under our thread.
static void
s_init_crypto(void)
{
    void *library = dlopen(CRYPTO, RTLD_NOW | RTLD_LOCAL);
    __typeof__(&OPENSSL_init_crypto) init;
    if (library && (*(void **) &init = dlsym(library, "OPENSSL_init_crypto")))
        init(OPENSSL_INIT_NO_ATEXIT, NULL);
}

static int
s_load(void)
{
    int rc = artel_guest_spare_fds(LOAD_FDS);
    if (rc != 0)
        return rc;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    rc = library ? s_find_functions(library) : ARTEL_ENOLIB;
    if (rc != 0)
        return rc;
    s_init_crypto();
    s_ready = s_functions.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return s_ready ? 0 : ARTEL_ENOLIB;
}

int
artel_curl_get(const artel_curl_t **ret)
{
    pthread_once(&s_once, s_install);
    pthread_mutex_lock(&s_lock);
    int rc = s_ready ? 0 : s_load();
    pthread_mutex_unlock(&s_lock);
    if (rc == 0)
        *ret = &s_functions;
    return rc;
}
