//  environment.h - what environment variables say of a run: ours, and W&B's own where a sink is W&B's.

#ifndef ARTEL_ENVIRONMENT_H
#define ARTEL_ENVIRONMENT_H

#include "client.h"

//  What was given, or if it is NULL or empty what a variable of ours says (NULL: there is none of this meaning),
//  or one of W&B's, if this client delivers there. NULL if nobody says anything. The client's lock is not held.
const char *
artel_environment(artel_t *client, const char *given, const char *ours, const char *wandbs);

//  The items of a comma list, in place: a list that ends with NULL, of at most max - 1. The caller frees the
//  list and *ret_text. NULL: no memory.
const char **
artel_environment_list(const char *text, size_t max, char **ret_text);

#endif
