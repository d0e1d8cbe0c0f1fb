//  origin.h - urls: where one leads, whether a key may go there, and how to show it. Pure.

#ifndef ARTEL_ORIGIN_H
#define ARTEL_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

//  Parts of a url, within its text.
typedef struct {
    bool secure;                //  https
    const char *host;           //  a name, or an address, IPv6 with its brackets
    int host_size;
    unsigned port;              //  the scheme's own if it names none
    const char *path;           //  "" or from its first '/' on
    int path_size;              //  without query and fragment
} artel_origin_t;

//  Take a url apart: false unless it is http: or https: with a plain host. One with a user, a
//  space or a control byte in it is not taken: who reads it otherwise would go elsewhere.
bool
artel_origin_parse(const char *url, artel_origin_t *ret);

//  Whether both are of one scheme, host and port.
bool
artel_origin_is_same(const char *a, const char *b);

//  Whether url is of base's origin, and its path is base's or beneath it; one with dot segments is not.
bool
artel_origin_is_beneath(const char *url, const char *base);

//  The url without user, query and fragment, which may hold secrets; cut to size.
void
artel_origin_show(const char *url, char *ret, size_t size);

#endif
