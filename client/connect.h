//  connect.h - the decision where a client's node is, made once when it is opened.

#ifndef ARTEL_CONNECT_H
#define ARTEL_CONNECT_H

#include "client.h"

//  The endpoint that ARTEL_ENDPOINT names, or the service over the client's state
//  directory if there is one, or else a node linked into this process; then the
//  link to it. Says why not with artel_open_failed. ARTEL_EUNAVAIL if a service is
//  to be there and has not welcomed us within 5 s; ARTEL_EVERSION if it speaks another
//  protocol; ARTEL_EINVAL; and the errors of artel_node_start.
int
artel_connect(artel_t *client, const artel_options_t *options);

#endif
