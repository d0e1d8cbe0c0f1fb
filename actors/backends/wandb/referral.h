//  referral.h - how W&B's manifest says what is elsewhere, scheme by scheme.

#ifndef ARTEL_REFERRAL_H
#define ARTEL_REFERRAL_H

#include "msgs_types.h"

//  Parts of the uri and the digest that were given. Empty: there is none.
typedef struct {
    artel_str_t ref;            //  the uri without the version in it
    artel_str_t digest;
    artel_str_t etag, version;  //  what "extra" has
} artel_referral_t;

//  From a uri and the digest its owner gave, which may be empty: then the uri is the digest.
void
artel_referral_read(artel_str_t uri, artel_str_t digest, artel_referral_t *ret);

#endif
