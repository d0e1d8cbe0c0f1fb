//  The list of sinks: what it means, and what is wrong with it.

#include <criterion/criterion.h>

#include "errors.h"
#include "sinks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static artel_sinks_t s_sinks;
static char s_why[256];

static int
s_parse(const char *list)
{
    artel_sinks_done(&s_sinks);
    return artel_sinks_parse(list, &s_sinks, s_why, sizeof s_why);
}

static void
s_setup(void)
{
    cr_assert_eq(chdir("/tmp"), 0);
}

static void
s_teardown(void)
{
    artel_sinks_done(&s_sinks);
}

TestSuite(sinks, .init = s_setup, .fini = s_teardown, .timeout = 20);

static void
s_expect_format(const char *list, const char *expected)
{
    cr_assert_eq(s_parse(list), 0, "%s", s_why);
    char *again = artel_sinks_format(&s_sinks);
    cr_assert_str_eq(again, expected);
    free(again);
}

static void
s_expect_refused(const char *list, int code, const char *part)
{
    cr_assert_eq(s_parse(list), code, "%s", list);
    cr_assert_not_null(strstr(s_why, part), "'%s' does not say '%s'", s_why, part);
    cr_assert_eq(s_sinks.n, 0);
}

Test(sinks, nothing_said_is_the_store)
{
    s_expect_format(NULL, "store=store");
    s_expect_format("", "store=store");
}

Test(sinks, a_list_reads_back_with_absolute_places_and_every_name)
{
    s_expect_format("store:/a", "store=store:/a");
    s_expect_format("store,copy=store:there/,c=store:/x//", "store=store,copy=store:/tmp/there,c=store:/x");
    s_expect_format("root=store:/", "root=store:/");
    s_expect_format("a=store:/x:y=z", "a=store:/x:y=z");
}

Test(sinks, the_primary_is_the_one_called_store_else_the_first)
{
    cr_assert_eq(s_parse("copy=store:/a,store"), 0);
    cr_assert_eq(s_sinks.primary, 1);
    cr_assert_eq(artel_sinks_find(&s_sinks, "", 0), 1);
    cr_assert_eq(s_parse("a=store:/a,b=store:/b"), 0);
    cr_assert_eq(s_sinks.primary, 0);
    cr_assert_eq(artel_sinks_find(&s_sinks, "b", 1), 1);
    cr_assert_eq(artel_sinks_find(&s_sinks, "c", 1), -1);
}

Test(sinks, what_is_wrong_is_said)
{
    s_expect_refused("stoer", ARTEL_EINVAL, "'stoer': the kind");
    s_expect_refused("store,", ARTEL_EINVAL, "'': the kind");
    s_expect_refused("a/b=store:/x", ARTEL_EINVAL, "'a/b=store:/x': a name");
    s_expect_refused("=store", ARTEL_EINVAL, "a name");
    s_expect_refused("store:", ARTEL_EINVAL, "directory is missing");
    s_expect_refused("store,store:/x", ARTEL_EINVAL, "twice");
    s_expect_refused("a=store,b=store,c=store,d=store,e=store,f=store,g=store,h=store,i=store",
                     ARTEL_ELIMIT, "'i=store': there are too many");
    s_expect_refused("caf\xc3\xa9=store", ARTEL_EINVAL, "a name");
}

Test(sinks, a_relative_place_below_a_path_with_a_comma_is_refused_for_it_cannot_be_written)
{
    char dir[] = "/tmp/artel,sinks.XXXXXX";
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
    s_expect_refused("copy=store:there", ARTEL_EINVAL, "comma");
    rmdir(dir);
}

Test(sinks, the_same_sink_has_the_same_name_kind_and_place)
{
    cr_assert_eq(s_parse("store,copy=store:/a"), 0);
    artel_sink_t sink = { .name = "copy", .kind = "store", .place = "/a" };
    cr_assert_eq(artel_sinks_same(&s_sinks, &sink), 1);
    sink.place = "/b";
    cr_assert_eq(artel_sinks_same(&s_sinks, &sink), -1);
    sink.place = NULL;
    cr_assert_eq(artel_sinks_same(&s_sinks, &sink), -1);
    strcpy(sink.name, "store");
    cr_assert_eq(artel_sinks_same(&s_sinks, &sink), 0);
}
