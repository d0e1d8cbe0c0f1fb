//  reference.h - how W&B's manifest says what is elsewhere, scheme by scheme.

#ifndef ARTEL_REFERENCE_H
#define ARTEL_REFERENCE_H

#include "msgs_types.h"

//  Parts of the uri and the digest that were given. Empty: there is none.
typedef struct {
    artel_str_t ref;            //  the uri without the version in it
    artel_str_t digest;
    artel_str_t etag, version;  //  what "extra" has
} artel_reference_t;

//  From a uri and the digest its owner gave, which may be empty: then the uri is the digest.
void
artel_reference_read(artel_str_t uri, artel_str_t digest, artel_reference_t *ret);

#endif
