//  headers.h - the headers of a request, and what is read of an answer's.

#ifndef ARTEL_HEADERS_H
#define ARTEL_HEADERS_H

#include "exchange.h"

//  The list that libcurl is given for a request to url, to be freed by curl_slist_free_all: the
//  asker's, but for those that say how a body is sent, and none of them where a redirect led to another
//  origin; the key, if it belongs there; and libcurl's own taken out. ARTEL_ENOMEM; ARTEL_EINVAL: one is
//  not a single line "Name: value".
int
artel_headers_make(artel_exchange_t *self, const char *url, struct curl_slist **ret);

//  As if no answer had come.
void
artel_headers_forget(artel_http_t *http);

//  A line of the answer's, as libcurl tells of it (CURLOPT_HEADERFUNCTION; arg is the exchange).
size_t
artel_headers_read(char *line, size_t one, size_t size, void *arg);

#endif
