//  over.h - when a run is over for W&B, and with which exit code.

#ifndef ARTEL_OVER_H
#define ARTEL_OVER_H

#include "bucket.h"

//  Whether nobody writes any more, by a state: all its writers have ended; of ranks all, or an owner without a
//  rank; a rank may have had several. While artifacts are on their way it is not. The code is that of the last end; of ranks the first that is not 0; a crash is 1.
bool
artel_bucket_is_over(const json_t *state, int *ret_code);

#endif
