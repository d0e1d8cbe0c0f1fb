//  streams.h - the bytes of an exchange: its body as it goes out, its answer as it comes in.

#ifndef ARTEL_STREAMS_H
#define ARTEL_STREAMS_H

#include "exchange.h"

enum {
    ARTEL_ANSWER_MOST = 16 * 1024 * 1024,   //  bytes kept of an answer if the request does not say
    ARTEL_REFUSAL_MOST = 64 * 1024,         //  of one that is not 2xx; with more it is not read to its end
};

//  Tell the exchange's handle where its bytes come from and go to.
void
artel_streams_set(artel_exchange_t *self);

#endif
