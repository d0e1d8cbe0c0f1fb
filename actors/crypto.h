//  crypto.h - OpenSSL's digests, loaded when something is hashed for the first time.
//
//  Loaded and initialised, libcrypto takes 3 MiB of a program, most of which only
//  logs. So the library is not linked: its functions are called through a table.
//
//  They are its low-level ones on purpose. EVP initialises the library for the whole
//  process: it reads openssl.cnf through a descriptor that a program executed
//  meanwhile inherits, activates what is written there, and registers an exit handler
//  that takes the digests from under the host's later ones. All this is for the host
//  to decide; these functions touch nothing but their argument.

#ifndef ARTEL_CRYPTO_H
#define ARTEL_CRYPTO_H

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

#define ARTEL_CRYPTO(F)                                                         \
    F(SHA256_Init) F(SHA256_Update) F(SHA256_Final)                             \
    F(MD5_Init) F(MD5_Update) F(MD5_Final)

typedef struct {
#define F(name) __typeof__(&name) name;
    ARTEL_CRYPTO(F)
#undef F
} artel_crypto_t;

//  The functions; loads the library if need be, from any thread. ARTEL_EMFILE;
//  ARTEL_ENOLIB: there is none.
int
artel_crypto_get(const artel_crypto_t **ret);

#endif
