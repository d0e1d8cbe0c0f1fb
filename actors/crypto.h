//  crypto.h - OpenSSL's libcrypto, loaded when something is hashed for the first time.
//
//  Loaded and initialised it takes 3 MiB of a program, most of which only logs. So
//  the library is not linked: its functions are called through a table.

#ifndef ARTEL_CRYPTO_H
#define ARTEL_CRYPTO_H

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define ARTEL_CRYPTO(F)                                                         \
    F(OPENSSL_init_crypto) F(OPENSSL_atexit) F(EVP_MD_fetch) F(EVP_MD_free)     \
    F(EVP_MD_CTX_new) F(EVP_MD_CTX_free) F(EVP_DigestInit_ex)                   \
    F(EVP_DigestUpdate) F(EVP_DigestFinal_ex)

typedef struct {
#define F(name) __typeof__(&name) name;
    ARTEL_CRYPTO(F)
#undef F
} artel_crypto_t;

//  The functions; loads the library if need be, from any thread. ARTEL_EMFILE,
//  ARTEL_ENOMEM; ARTEL_ENOLIB: there is none; ARTEL_ECLOSED: the program is exiting.
int
artel_crypto_get(const artel_crypto_t **ret);

//  A program that has libcrypto loaded already has it initialised now: then what is
//  registered with atexit next runs before OpenSSL takes the digests away.
void
artel_crypto_init_if_loaded(void);

#endif
