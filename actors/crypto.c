//  crypto.c - OpenSSL's digests, loaded when something is hashed for the first time.

#include "crypto.h"

#include "errors.h"
#include "guest.h"

#include <dlfcn.h>
#include <openssl/opensslv.h>
#include <pthread.h>
#include <stdatomic.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define LIBRARY "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)

enum { LOAD_FDS = 4 };          //  what the loader has open at a time

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;      //  of loading
static artel_crypto_t s_functions;
static atomic_bool s_ready;

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
    ARTEL_CRYPTO(F)
#undef F
    return all ? 0 : ARTEL_ENOLIB;
}

static int
s_load(void)
{
    int rc = artel_guest_spare_fds(LOAD_FDS);
    if (rc != 0)
        return rc;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    rc = library ? s_find_functions(library) : ARTEL_ENOLIB;
    atomic_store(&s_ready, rc == 0);
    return rc;
}

int
artel_crypto_get(const artel_crypto_t **ret)
{
    int rc = 0;
    if (!atomic_load(&s_ready)) {
        pthread_once(&s_once, s_install);
        pthread_mutex_lock(&s_lock);
        rc = atomic_load(&s_ready) ? 0 : s_load();
        pthread_mutex_unlock(&s_lock);
    }
    if (rc == 0)
        *ret = &s_functions;
    return rc;
}
