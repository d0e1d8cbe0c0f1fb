//  What may lie between clients and journals, and who has which part of it.

#include <criterion/criterion.h>

#include "bounds.h"
#include "credit.h"

#include <string.h>

enum { SIZE = 64 * 1024, COST = SIZE + ARTEL_BATCH_COST, LEAST = ARTEL_MAX_MESSAGE + ARTEL_BATCH_COST };

static artel_credit_t s_credit;
static artel_account_t s_accounts[1000];

static void
s_setup(void)
{
    memset(&s_credit, 0, sizeof s_credit);
    memset(s_accounts, 0, sizeof s_accounts);
}

static void
s_teardown(void)
{
    for (size_t i = 0; i < sizeof s_accounts / sizeof *s_accounts; i++)
        artel_credit_done(&s_credit, &s_accounts[i]);
    cr_assert_eq(s_credit.bytes, 0);
}

TestSuite(credit, .init = s_setup, .fini = s_teardown, .timeout = 20);

//  Tell a writer its share and take its batches until there is no room; how many.
static unsigned
s_fill(artel_account_t *of, int64_t now)
{
    unsigned n = 0;
    for (artel_credit_tell(&s_credit, of, now); artel_credit_has_room(&s_credit, of, SIZE); n++)
        cr_assert_eq(artel_credit_take(&s_credit, of, SIZE, now), 0);
    return n;
}

Test(credit, who_is_alone_has_all_that_one_may_have)
{
    artel_credit_begin(&s_credit, &s_accounts[0], 0);
    cr_assert_eq(artel_credit_tell(&s_credit, &s_accounts[0], 0), ARTEL_CREDIT);
    cr_assert_eq(s_fill(&s_accounts[0], 0), ARTEL_CREDIT / COST);
}

Test(credit, the_shares_of_those_who_log_are_equal_and_no_more_than_all)
{
    uint64_t sum = 0;
    for (int i = 0; i < 64; i++)
        artel_credit_begin(&s_credit, &s_accounts[i], 0);
    for (int i = 0; i < 64; i++)
        sum += artel_credit_tell(&s_credit, &s_accounts[i], 0);
    cr_assert_eq(sum, ARTEL_TOTAL_CREDIT);
    for (int i = 64; i < 1000; i++)
        artel_credit_begin(&s_credit, &s_accounts[i], 0);
    cr_assert_eq(artel_credit_tell(&s_credit, &s_accounts[0], 0), LEAST, "a batch it always is");
}

Test(credit, who_has_been_idle_for_two_seconds_has_no_part_in_it)
{
    for (int i = 0; i < 1000; i++)
        artel_credit_begin(&s_credit, &s_accounts[i], 500);
    cr_assert_eq(artel_credit_tell(&s_credit, &s_accounts[0], 1900), LEAST);
    artel_credit_begin(&s_credit, &s_accounts[0], 2000);
    cr_assert_eq(artel_credit_tell(&s_credit, &s_accounts[0], 2000), ARTEL_CREDIT);
}

Test(credit, a_pause_of_all_is_an_end_as_well)
{
    for (int i = 0; i < 1000; i++)
        artel_credit_begin(&s_credit, &s_accounts[i], 500);
    cr_assert_eq(artel_credit_tell(&s_credit, &s_accounts[0], 60500), ARTEL_CREDIT);
}

Test(credit, what_is_accepted_makes_room_for_as_much)
{
    unsigned n = s_fill(&s_accounts[0], 0);
    artel_credit_give(&s_credit, &s_accounts[0], 3);
    cr_assert_eq(s_credit.bytes, (n - 3) * COST);
    cr_assert_eq(s_fill(&s_accounts[0], 0), 3);
    artel_credit_give(&s_credit, &s_accounts[0], UINT64_MAX);
    cr_assert_eq(s_fill(&s_accounts[0], 0), n);
}

//  Sizes that tell each other apart, over the end of the ring.
Test(credit, batches_leave_in_their_order)
{
    uint64_t bytes = 0;
    artel_credit_tell(&s_credit, &s_accounts[0], 0);
    for (unsigned i = 0, first = 0; i < 5000; i++) {
        cr_assert_eq(artel_credit_take(&s_credit, &s_accounts[0], i, 0), 0);
        bytes += i + ARTEL_BATCH_COST;
        for (unsigned last = i / 2; first < last; first++) {
            artel_credit_give(&s_credit, &s_accounts[0], 1);
            bytes -= first + ARTEL_BATCH_COST;
        }
        cr_assert_eq(s_accounts[0].bytes, bytes);
    }
    cr_assert_eq(s_credit.bytes, bytes);
}

Test(credit, a_share_that_shrinks_binds_in_the_next_second)
{
    artel_credit_begin(&s_credit, &s_accounts[0], 0);
    artel_credit_tell(&s_credit, &s_accounts[0], 0);
    for (int i = 1; i < 64; i++)
        artel_credit_begin(&s_credit, &s_accounts[i], 100);
    uint64_t share = artel_credit_tell(&s_credit, &s_accounts[0], 100);
    cr_assert_eq(share, ARTEL_TOTAL_CREDIT / 64);
    cr_assert_eq(s_fill(&s_accounts[0], 200), ARTEL_CREDIT / COST, "it may not know yet");
    artel_credit_give(&s_credit, &s_accounts[0], UINT64_MAX);
    artel_credit_tell(&s_credit, &s_accounts[0], 1100);
    for (int i = 0; i < 64; i++)
        artel_credit_begin(&s_credit, &s_accounts[i], 1100);
    cr_assert_eq(s_fill(&s_accounts[0], 2100), share / COST);
}

Test(credit, all_together_have_a_bound_that_only_first_batches_pass)
{
    unsigned n = 0, first = 0;
    for (int i = 0; i < 20; i++)
        n += s_fill(&s_accounts[i], 0);
    cr_assert_leq(s_credit.bytes, ARTEL_TOTAL_CREDIT + 20 * COST);
    for (int i = 20; i < 1000; i++)
        first += s_fill(&s_accounts[i], 0);
    cr_assert_leq(s_credit.bytes, 2 * ARTEL_TOTAL_CREDIT);
    cr_assert_geq((n + first + 1) * COST, 2 * ARTEL_TOTAL_CREDIT);
    cr_assert_eq(first, 2 * ARTEL_TOTAL_CREDIT / COST - n, "one each");
}

Test(credit, a_thousand_idle_ones_hold_no_memory)
{
    for (int i = 0; i < 1000; i++)
        artel_credit_tell(&s_credit, &s_accounts[0], 0), artel_credit_take(&s_credit, &s_accounts[0], 1, 0);
    cr_assert_geq(s_accounts[0].cap, 1000);
    artel_credit_give(&s_credit, &s_accounts[0], 1000);
    cr_assert_leq(s_accounts[0].cap, 16);
}
