//  What is UTF-8, and what only looks like it.

#include <criterion/criterion.h>

#include "utf8.h"

#include <string.h>

TestSuite(utf8, .timeout = 20);

static void
s_each(const char *const *texts, size_t n, bool expected)
{
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(artel_is_utf8(texts[i], strlen(texts[i])), expected, "text %zu", i);
}

#define EACH(texts, expected) s_each(texts, sizeof texts / sizeof *texts, expected)

Test(utf8, the_first_and_last_of_each_length_are_accepted)
{
    static const char *const texts[] = { "", "\x01", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
    EACH(texts, true);
    cr_assert(artel_is_utf8("a\0b", 3), "NUL is a character");
}

Test(utf8, overlong_forms_are_refused)
{
    static const char *const texts[] = { "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf" };
    EACH(texts, false);
}

Test(utf8, surrogates_and_what_is_above_the_last_character_are_refused)
{
    static const char *const texts[] = { "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff" };
    EACH(texts, false);
}

Test(utf8, a_character_cut_short_or_without_its_start_is_refused)
{
    static const char *const texts[] = { "\xc2", "\xe1\x80", "\xf1\x80\x80", "\x80", "a\xbf",
        "\xc2" "a", "\xe1\x80" "a", "\xf1\x80\x80" "a" };
    EACH(texts, false);
}
