//  Urls: where one leads, whether a key may go there, and how it is shown.

#include <criterion/criterion.h>

#include "origin.h"

#include <string.h>

static void
s_expect(const char *url, bool secure, const char *host, unsigned port, const char *path)
{
    artel_origin_t origin;
    cr_assert(artel_origin_parse(url, &origin), "%s", url);
    cr_assert_eq(origin.secure, secure);
    cr_assert_eq(origin.port, port);
    cr_assert(strlen(host) == (size_t) origin.host_size && memcmp(host, origin.host, strlen(host)) == 0, "%s", url);
    cr_assert(strlen(path) == (size_t) origin.path_size && memcmp(path, origin.path, strlen(path)) == 0, "%s", url);
}

Test(http_origin, takes_urls_apart)
{
    s_expect("https://api.wandb.ai/graphql?a=/b", true, "api.wandb.ai", 443, "/graphql");
    s_expect("HTTP://h", false, "h", 80, "");
    s_expect("http://h?x", false, "h", 80, "");
    s_expect("http://[::1]:8080/x#y", false, "[::1]", 8080, "/x");
}

Test(http_origin, takes_nothing_that_somebody_might_read_otherwise)
{
    static const char *const urls[] = { "", "h", "ftp://h/", "http:///x", "http://me@h/", "http://me:pw@h/", "http://h:/",
        "http://h:0/", "http://h:65536/", "http://h:1x/", "http://h:123456/", "http://h\\@e/", "http://h /", "http://h/\n",
        "http://h/a b", "http://[::1/", "http://[]/", "http://h%2e/", "http://h,e/" };
    artel_origin_t origin;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        cr_assert_not(artel_origin_parse(urls[i], &origin), "%s", urls[i]);
}

Test(http_origin, is_the_same_only_with_scheme_host_and_port)
{
    cr_assert(artel_origin_is_same("https://H/a", "https://h:443/b"));
    cr_assert_not(artel_origin_is_same("https://h", "http://h"));
    cr_assert_not(artel_origin_is_same("https://h", "https://h:8443"));
    cr_assert_not(artel_origin_is_same("https://h", "https://h.e"));
    cr_assert_not(artel_origin_is_same("https://h", "https://x"));
}

Test(http_origin, is_beneath_what_its_path_begins_with)
{
    cr_assert(artel_origin_is_beneath("https://h/graphql", "https://h"));
    cr_assert(artel_origin_is_beneath("https://h", "https://h/"));
    cr_assert(artel_origin_is_beneath("https://h/a/b?q", "https://h/a"));
    cr_assert(artel_origin_is_beneath("https://h/a", "https://h/a/"));
    cr_assert(artel_origin_is_beneath("https://h/a/.b/..c", "https://h/a"));
    cr_assert_not(artel_origin_is_beneath("https://h/ab", "https://h/a"));
    cr_assert_not(artel_origin_is_beneath("https://h/", "https://h/a"));
    cr_assert_not(artel_origin_is_beneath("https://e/a/b", "https://h/a"));
    cr_assert_not(artel_origin_is_beneath("https://h/a/../b", "https://h/a"));
    cr_assert_not(artel_origin_is_beneath("https://h/a/%2E./b", "https://h/a"));
    cr_assert_not(artel_origin_is_beneath("https://h/a/..", "https://h/a"));
    cr_assert_not(artel_origin_is_beneath("https://me@h/a", "https://h"));
}

static void
s_expect_shown(const char *url, const char *wanted)
{
    char text[64];
    artel_origin_show(url, text, sizeof text);
    cr_assert_str_eq(text, wanted);
}

Test(http_origin, is_shown_without_what_may_be_secret)
{
    s_expect_shown("https://h/a/b?X-Signature=s#f", "https://h/a/b");
    s_expect_shown("https://me:pw@h/a@b?c@d", "https://h/a@b");
    s_expect_shown("https://me@you@h", "https://h");
    s_expect_shown("me@h/x?s", "h/x");
    s_expect_shown("", "");
    s_expect_shown("?s", "");
}
