//  What is asked again, and when.

#include <criterion/criterion.h>

#include "retry.h"

static void
s_expect(artel_http_rule_t rule, const int *never, const int *again)
{
    for (; *never; never++)
        cr_assert_not(artel_retry_passes(rule, *never, "RequestTooLarge"), "%d", *never);
    for (; *again; again++)
        cr_assert(artel_retry_passes(rule, *again, NULL), "%d", *again);
}

Test(http_retry, of_a_call_most_refusals_pass)
{
    s_expect(ARTEL_HTTP_CALL, (int[]) { 302, 400, 401, 403, 404, 409, 410, 413, 422, 501, 0 },
             (int[]) { 405, 408, 425, 429, 499, 500, 502, 503, 504, 599, 0 });
}

Test(http_retry, of_an_upsert_a_conflict_passes_too)
{
    s_expect(ARTEL_HTTP_UPSERT, (int[]) { 400, 401, 403, 404, 410, 413, 422, 501, 0 }, (int[]) { 408, 409, 429, 500, 0 });
}

Test(http_retry, of_a_file_few_refusals_pass)
{
    s_expect(ARTEL_HTTP_FILE, (int[]) { 308, 400, 401, 403, 404, 410, 412, 413, 501, 0 },
             (int[]) { 408, 409, 429, 500, 502, 503, 504, 0 });
    cr_assert(artel_retry_passes(ARTEL_HTTP_FILE, 400, "<Code>RequestTimeout</Code>"));
    cr_assert_not(artel_retry_passes(ARTEL_HTTP_FILE, 400, NULL));
    cr_assert_not(artel_retry_passes(ARTEL_HTTP_CALL, 400, "<Code>RequestTimeout</Code>"));
}

Test(http_retry, waits_double_and_a_minute_at_most)
{
    cr_assert_eq(artel_retry_wait_ms(0, 2000, 0, -1), 2000);
    cr_assert_eq(artel_retry_wait_ms(0, 2000, 0.5, -1), 2250);
    cr_assert_eq(artel_retry_wait_ms(3, 2000, 0, -1), 16000);
    cr_assert_eq(artel_retry_wait_ms(4, 2000, 0.999, -1), 39992);
    cr_assert_eq(artel_retry_wait_ms(5, 2000, 0, -1), 60000);
    cr_assert_eq(artel_retry_wait_ms(4000000000u, 2000, 0.9, -1), 60000);
}

Test(http_retry, waits_as_it_is_asked_to_but_not_for_ever)
{
    cr_assert_eq(artel_retry_wait_ms(7, 2000, 0.9, 100), 100);
    cr_assert_eq(artel_retry_wait_ms(0, 2000, 0.9, 90000), 90000);
    cr_assert_eq(artel_retry_wait_ms(0, 2000, 0.9, INT64_MAX), ARTEL_RETRY_AFTER_MOST_MS);
}

Test(http_retry, waits_its_own_time_if_it_is_asked_not_to_wait)
{
    cr_assert_eq(artel_retry_wait_ms(0, 2000, 0, 0), 2000);
    cr_assert_eq(artel_retry_wait_ms(3, 2000, 0, 0), 16000);
    cr_assert_eq(artel_retry_wait_ms(3, 2000, 0, artel_retry_after_ms("0", 0, NULL)), 16000);
}

//  Dates are libcurl's to read.
static time_t
s_date(const char *text, const time_t *unused)
{
    (void) unused;
    return text[0] == 'W' ? 1000 : -1;
}

Test(http_retry, reads_seconds_and_dates)
{
    cr_assert_eq(artel_retry_after_ms("3", 0, s_date), 3000);
    cr_assert_eq(artel_retry_after_ms(" 0.25 ", 0, s_date), 250);
    cr_assert_eq(artel_retry_after_ms("0", 0, s_date), 0);
    cr_assert_eq(artel_retry_after_ms("Wed", 990, s_date), 10000);
    cr_assert_eq(artel_retry_after_ms("Wed", 1001, s_date), 0);
    cr_assert_eq(artel_retry_after_ms("soon", 0, s_date), -1);
    cr_assert_eq(artel_retry_after_ms("-1", 0, s_date), -1);
}

Test(http_retry, reads_numbers_whatever_the_locale)
{
    cr_assert_eq(artel_retry_number("7.5"), 7.5);
    cr_assert_eq(artel_retry_number("7."), 7);
    static const char *const none[] = { "", ".5", "1e3", "7,5", "x", "1 2", "nan", "inf", "99999999999999999999" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_assert_eq(artel_retry_number(none[i]), -1, "%s", none[i]);
}
