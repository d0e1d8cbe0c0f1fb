//  viewer.h - who a key is, as a W&B server says.

#ifndef ARTEL_VIEWER_H
#define ARTEL_VIEWER_H

#include "credentials.h"

typedef struct {
    char entity[128], username[128];    //  "" if the server does not say
} artel_viewer_t;

//  Ask the server, and wait for it. ARTEL_EACCES: it does not know the key; other codes, and why, are
//  those of the request (http.h) and of its answer (graphql.h).
int
artel_viewer_ask(const artel_credentials_t *server, artel_viewer_t *ret, char *why, size_t size);

#endif
