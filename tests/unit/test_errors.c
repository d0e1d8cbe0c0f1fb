//  The error codes, in the public header and inside.

#include <criterion/criterion.h>

#include "artel.h"
#include "errors.h"

#include <errno.h>
#include <string.h>

TestSuite(errors, .timeout = 20);

Test(errors, the_public_codes_are_those_of_the_table)
{
#define E(NAME, number, text) cr_assert_eq(ARTEL_##NAME, number);
    ARTEL_ERRORS(E)
#undef E
}

Test(errors, each_has_a_name_and_a_text_of_its_own)
{
    const char *texts[32];
    size_t n = 0;
#define E(NAME, number, text)                                                   \
    cr_assert_str_eq(artel_error_code_name(number), "ARTEL_" #NAME);            \
    texts[n++] = artel_error_code_text(number);
    ARTEL_ERRORS(E)
#undef E
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(texts[i], texts[j]);
}

Test(errors, a_number_that_is_none_has_texts_too)
{
    cr_assert_not_null(artel_error_code_name(-12345));
    cr_assert_not_null(artel_error_code_text(7));
    cr_assert_str_eq(artel_error_code_name(0), "ARTEL_OK");
}

Test(errors, an_errno_becomes_the_code_a_caller_can_act_on)
{
    cr_assert_eq(artel_error_of_errno(ENOSPC), ARTEL_ENOSPC);
    cr_assert_eq(artel_error_of_errno(EDQUOT), ARTEL_ENOSPC);
    cr_assert_eq(artel_error_of_errno(EMFILE), ARTEL_EMFILE);
    cr_assert_eq(artel_error_of_errno(EROFS), ARTEL_EACCES);
    cr_assert_eq(artel_error_of_errno(EIO), ARTEL_EIO);
    cr_assert_eq(artel_error_of_errno(0), ARTEL_EIO, "what is not known is the disk's fault");
}
