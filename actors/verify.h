//  verify.h - is everything that was stored still what it was?

#ifndef ARTEL_VERIFY_H
#define ARTEL_VERIFY_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *const *names;   //  "NAME" (all its versions) or "NAME:VERSION" (latest, an alias, vN)
    size_t n;                   //  0: everything, also journals and what is not delivered yet
    void (*damaged)(void *arg, const char *sentence);   //  what is damaged, one sentence each
    int (*progress)(void *arg, uint64_t blobs, uint64_t bytes);     //  nonzero cancels; may be NULL
    void *arg;                  //  for both
} artel_verify_options_t;

typedef struct {
    uint64_t versions, journals;    //  looked at
    uint64_t blobs, bytes;          //  hashed
    uint64_t damaged;               //  sentences
} artel_verify_report_t;

//  Hash every blob that the versions need, compare each manifest with the
//  catalogue, and read the journals. Damage is what was promised and is not
//  there; what a killed program left and nothing refers to is none. Holds
//  off gc. ret says what was done, also on failure. 0: all is well.
//  ARTEL_ECORRUPT: something was named; ARTEL_ENOENT: a name is not there (a sentence says so);
//  ARTEL_ECANCELED; or why it could not be found out.
int
artel_verify(const char *state, const artel_verify_options_t *options, artel_verify_report_t *ret);

#endif
