//  scan.h - the bounds of foreign msgpack bytes, before msgpack-c sees them.
//
//  msgpack-c believes the lengths it reads: 155 bytes of nested array headers
//  make it reserve gigabytes. This pass reads only the structure.

#ifndef ARTEL_SCAN_H
#define ARTEL_SCAN_H

#include <stddef.h>

//  The bytes of the one msgpack value at data, or ARTEL_EPROTO if it is cut
//  short, nests deeper than ARTEL_MAX_DEPTH, or has more than ARTEL_MAX_NODES values, announces
//  more items than bytes are left for, or holds an ext or a reserved byte.
int
artel_scan(const void *data, size_t len, size_t *ret_used);

#endif
