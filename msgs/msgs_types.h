//  msgs_types.h - the types of fields.

#ifndef ARTEL_MSGS_TYPES_H
#define ARTEL_MSGS_TYPES_H

#include "id.h"

//  Text or bytes that someone else owns: in an unpacked message it points
//  into the frame the message came in.
typedef struct {
    const char *at;
    size_t len;
} artel_str_t;

typedef artel_str_t artel_bin_t;
typedef uint64_t artel_u64_t;
typedef int64_t artel_i64_t;
typedef bool artel_flag_t;

//  A list of texts. Unpacked, the array lives in the zone.
typedef struct {
    const artel_str_t *at;
    size_t n;
} artel_strs_t;

typedef enum { ARTEL_F64, ARTEL_I64, ARTEL_BOOL, ARTEL_STR } artel_kind_t;

//  One value of a row: a key by its index, and a typed scalar. NaN and
//  infinities keep their bits.
typedef struct {
    uint32_t key;
    artel_kind_t kind;
    union {
        double f64;
        int64_t i64;
        bool flag;
        artel_str_t str;
    };
} artel_cell_t;

//  The cells of a row. Unpacked, the array lives in the zone.
typedef struct {
    const artel_cell_t *at;
    size_t n;
} artel_row_t;

#endif
