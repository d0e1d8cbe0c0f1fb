//  reference.h - an artifact's version by name: NAME, NAME:ALIAS or NAME:vN.

#ifndef ARTEL_REFERENCE_H
#define ARTEL_REFERENCE_H

#include "bounds.h"
#include "reach.h"

typedef struct {
    char name[ARTEL_MAX_NAME + 1];
    char version[ARTEL_MAX_NAME + 1];   //  "latest" if none was said
} artel_reference_t;

//  0, or ARTEL_EXIT_USAGE after a sentence.
int
artel_reference_parse(const char *text, artel_reference_t *ret);

//  Find it. 0, or ARTEL_EXIT_NOT_FOUND or _FAILED after a sentence.
int
artel_reference_resolve(const artel_place_t *place, const artel_reference_t *ref,
                        artel_version_t *ret);

#endif
