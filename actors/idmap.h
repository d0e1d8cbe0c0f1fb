//  idmap.h - a zhashx whose keys are 16-byte ids.

#ifndef ARTEL_IDMAP_H
#define ARTEL_IDMAP_H

#include "id.h"

#include <czmq.h>

//  Keys are copied; values are freed with free_value (may be NULL) when removed.
zhashx_t *
artel_idmap_new(void (*free_value)(void **value_p));

#endif
