//  failure.h - what libcurl's errors mean to who asked.

#ifndef ARTEL_FAILURE_H
#define ARTEL_FAILURE_H

#include "exchange.h"

//  Put into the request why its attempt failed: code, passes and text. code is not CURLE_OK.
void
artel_failure_tell(artel_exchange_t *self, CURLcode code);

//  Put code and a sentence that begins with method and url; no others are made of a request.
void
artel_failure_say(artel_exchange_t *self, int code, bool passes, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
