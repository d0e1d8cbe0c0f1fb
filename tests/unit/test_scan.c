//  The structural pass over foreign msgpack bytes.

#include <criterion/criterion.h>

#include "bounds.h"
#include "errors.h"
#include "scan.h"

#include <stdlib.h>
#include <string.h>

TestSuite(scan, .timeout = 20);

Test(scan, a_header_that_announces_more_than_there_is_is_refused)
{
    size_t used;
    cr_assert_eq(artel_scan("\xdd\xff\x00\x00\x00", 5, &used), ARTEL_EPROTO);
    cr_assert_eq(artel_scan("\xdb\xff\xff\xff\xff", 5, &used), ARTEL_EPROTO);
    cr_assert_eq(artel_scan("\xdf\x80\x00\x00\x00", 5, &used), ARTEL_EPROTO);
    cr_assert_eq(artel_scan("\xc6\xff\xff\xff\xff", 5, &used), ARTEL_EPROTO);
}

Test(scan, an_ext_and_the_reserved_byte_are_refused)
{
    static const unsigned char firsts[] = { 0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8 };
    size_t used;
    for (size_t i = 0; i < sizeof firsts; i++) {
        char bytes[32] = { (char) firsts[i] };
        cr_assert_eq(artel_scan(bytes, sizeof bytes, &used), ARTEL_EPROTO, "%x", firsts[i]);
    }
}

Test(scan, nesting_ends_at_the_limit)
{
    size_t used;
    cr_assert_eq(artel_scan("\x91\x91\x91\x91\xc0", 5, &used), 0);
    cr_assert_eq(used, 5);
    cr_assert_eq(artel_scan("\x91\x91\x91\x91\x91\xc0", 6, &used), ARTEL_EPROTO);
}

Test(scan, what_follows_the_value_is_left)
{
    size_t used;
    cr_assert_eq(artel_scan("\x92\x01\xcd\x01\x02\x05", 6, &used), 0);
    cr_assert_eq(used, 5);
}

//  Each form of the format once, and how long it is.
Test(scan, every_form_has_its_length)
{
    static const struct { const char *bytes; size_t len; } forms[] = {
        { "\x7f", 1 }, { "\xff", 1 }, { "\xc0", 1 }, { "\xc2", 1 }, { "\xc3", 1 },
        { "\xa2hi", 3 }, { "\xd9\x01x", 3 }, { "\xda\x00\x01x", 4 }, { "\xdb\x00\x00\x00\x01x", 6 },
        { "\xc4\x01x", 3 }, { "\xc5\x00\x01x", 4 }, { "\xc6\x00\x00\x00\x01x", 6 },
        { "\xcc\x01", 2 }, { "\xcd\x01\x01", 3 }, { "\xce\x01\x01\x01\x01", 5 },
        { "\xcf\x01\x01\x01\x01\x01\x01\x01\x01", 9 }, { "\xd0\x01", 2 },
        { "\xd1\x01\x01", 3 }, { "\xd2\x01\x01\x01\x01", 5 },
        { "\xd3\x01\x01\x01\x01\x01\x01\x01\x01", 9 }, { "\xca\x01\x01\x01\x01", 5 },
        { "\xcb\x01\x01\x01\x01\x01\x01\x01\x01", 9 }, { "\x90", 1 }, { "\x80", 1 },
        { "\x81\x01\x02", 3 }, { "\xdc\x00\x01\x05", 4 }, { "\xdd\x00\x00\x00\x01\x05", 6 },
        { "\xde\x00\x01\x05\x06", 5 }, { "\xdf\x00\x00\x00\x01\x05\x06", 7 },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t used = 0;
        cr_assert_eq(artel_scan(forms[i].bytes, forms[i].len, &used), 0, "form %zu", i);
        cr_assert_eq(used, forms[i].len, "form %zu", i);
        for (size_t cut = 0; cut < forms[i].len; cut++)
            cr_assert_eq(artel_scan(forms[i].bytes, cut, &used), ARTEL_EPROTO, "form %zu", i);
    }
}

Test(scan, a_value_of_too_many_values_is_refused)
{
    size_t len = 5 + ARTEL_MAX_NODES + 1, used;
    char *bytes = calloc(1, len);
    const unsigned n = ARTEL_MAX_NODES + 1;
    bytes[0] = (char) 0xdd;
    for (int i = 0; i < 4; i++)
        bytes[1 + i] = (char) (n >> (24 - 8 * i));
    cr_assert_eq(artel_scan(bytes, len, &used), ARTEL_EPROTO);
    free(bytes);
}
