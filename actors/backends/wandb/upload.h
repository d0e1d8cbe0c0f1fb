//  upload.h - a PUT as W&B's server orders it: where to, and with which headers.

#ifndef ARTEL_UPLOAD_H
#define ARTEL_UPLOAD_H

#include <jansson.h>

//  The URL to use for one that the server gave, which the caller frees: one that begins with "/" is beneath
//  base, and what a URL cannot have is encoded. NULL: no memory.
char *
artel_upload_url(const char *base, const char *url);

//  An uploadHeaders as the headers of a request, which end with NULL: the caller frees the array, the texts are
//  headers'. Null and "" are an empty list. ARTEL_EPROTO: it is neither, or has what is no "Name:Value".
int
artel_upload_headers(const json_t *headers, const char *const **ret);

//  The value of the header of this name, or "".
const char *
artel_upload_header(const char *const *headers, const char *name);

#endif
