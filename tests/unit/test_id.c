//  Ids, their text, and what may name a run.

#include <criterion/criterion.h>

#include "bounds.h"
#include "id.h"

#include <string.h>

TestSuite(id, .timeout = 20);

Test(id, two_are_never_the_same)
{
    artel_id_t a = artel_id_new(), b = artel_id_new();
    cr_assert_not(artel_id_equal(a, b));
    cr_assert(artel_id_equal(a, a));
}

Test(id, its_text_reads_back)
{
    artel_id_t id = artel_id_new(), back;
    char text[ARTEL_ID_TEXT];
    artel_hex(id.at, sizeof id.at, text);
    cr_assert_eq(strlen(text), ARTEL_ID_TEXT - 1);
    cr_assert(artel_unhex(text, sizeof back.at, back.at));
    cr_assert(artel_id_equal(id, back));
}

Test(id, text_that_is_short_or_not_lower_case_hex_is_refused)
{
    unsigned char bytes[2];
    cr_assert(artel_unhex("0aff", 2, bytes));
    cr_assert_eq(bytes[1], 0xff);
    cr_assert_not(artel_unhex("0af", 2, bytes));
    cr_assert_not(artel_unhex("", 2, bytes));
    cr_assert_not(artel_unhex("0aFF", 2, bytes));
    cr_assert_not(artel_unhex("0ag0", 2, bytes));
}

Test(id, a_run_is_named_by_what_can_be_a_folder_and_nothing_else)
{
    static const char *const bad[] = { "", ".", "..", "a/b", "../x", "a b", "a.b", "\xc3\xa9", "a\n" };
    char longest[ARTEL_MAX_RUN_ID + 2];
    memset(longest, 'r', sizeof longest);
    cr_assert(artel_is_run_id("Run-7_b", 7));
    cr_assert(artel_is_run_id(longest, ARTEL_MAX_RUN_ID));
    cr_assert_not(artel_is_run_id(longest, ARTEL_MAX_RUN_ID + 1));
    cr_assert_not(artel_is_run_id("a\0b", 3));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(artel_is_run_id(bad[i], strlen(bad[i])), "'%s'", bad[i]);
}
