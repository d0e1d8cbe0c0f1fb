//  credentials.h - where a W&B server is, and the key for it.

#ifndef ARTEL_CREDENTIALS_H
#define ARTEL_CREDENTIALS_H

#include "http.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *base;                 //  of the server, without a slash at its end
    char *graphql;              //  its URL for questions
    char *header;               //  "Authorization: Basic ..."; NULL: there is no key
    artel_http_key_t key;       //  both of the above, as requests want them
} artel_credentials_t;

//  The address of a server: url, or if that is NULL or empty WANDB_BASE_URL, or https://api.wandb.ai. The caller
//  frees it. ARTEL_EINVAL and a sentence in why: it is no http or https URL, or one of W&B's own by which a key
//  would not be safe; ARTEL_ENOMEM.
int
artel_credentials_base(const char *url, char **ret, char *why, size_t size);

//  What netrc files have as the machine of a server: host, and ":port" if its URL has one. The caller frees it;
//  NULL: no memory.
char *
artel_credentials_machine(const char *base);

//  Whether this may be a key: ARTEL_EINVAL, and a sentence that does not have it.
int
artel_credentials_check(const char *key, char *why, size_t size);

//  The address and its key, from WANDB_API_KEY or a netrc file (url as above). Without a key it is 0 with no header.
//  ARTEL_EINVAL (address or key), ARTEL_EPROTO (the netrc file), ARTEL_EACCES, ARTEL_EIO, ARTEL_ELIMIT, ARTEL_EMFILE,
//  with a sentence in why; ARTEL_ENOMEM.
int
artel_credentials_find(const char *url, artel_credentials_t *ret, char *why, size_t size);

//  The same with this key.
int
artel_credentials_make(const char *url, const char *key, artel_credentials_t *ret, char *why, size_t size);
void
artel_credentials_done(artel_credentials_t *self);

#endif
