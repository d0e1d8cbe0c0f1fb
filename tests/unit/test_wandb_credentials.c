//  Addresses of W&B servers and keys for them.

#include "scratch.h"

#include "credentials.h"
#include "errors.h"

#define KEY "0123456789abcdef0123456789abcdef01234567"

static char s_why[256];

static void
s_begin(void)
{
    s_scratch_make();
    setenv("HOME", s_scratch, 1);
    unsetenv("NETRC");
    unsetenv("WANDB_API_KEY");
    unsetenv("WANDB_BASE_URL");
}

TestSuite(credentials, .init = s_begin, .fini = s_scratch_remove);

static const char *
s_base(const char *url)
{
    static char text[256];
    char *base;
    if (artel_credentials_base(url, &base, s_why, sizeof s_why) != 0)
        return s_why;
    snprintf(text, sizeof text, "%s", base);
    free(base);
    return text;
}

static const char *
s_check(const char *key)
{
    return artel_credentials_check(key, s_why, sizeof s_why) == 0 ? "good" : s_why;
}

Test(credentials, the_address_is_said_or_set_or_the_clouds)
{
    cr_expect_str_eq(s_base(NULL), "https://api.wandb.ai");
    setenv("WANDB_BASE_URL", "http://h:8080/", 1);
    cr_expect_str_eq(s_base(NULL), "http://h:8080");
    cr_expect_str_eq(s_base("https://x/path//"), "https://x/path");
}

Test(credentials, an_address_by_which_a_key_is_not_safe_is_refused)
{
    cr_expect_str_eq(s_base("http://api.wandb.ai"), "http is not safe for a key: use https://api.wandb.ai");
    cr_expect_str_eq(s_base("https://wandb.ai"), "the address of W&B's own server is https://api.wandb.ai");
    cr_expect_str_eq(s_base("ftp://h"),
                     "the address of the W&B server does not begin with http:// or https:// and a host");
    cr_expect_str_eq(s_base("https:///x"),
                     "the address of the W&B server does not begin with http:// or https:// and a host");
    cr_expect_str_eq(s_base("https://h/?x"), "the address of the W&B server has a space, ? or # in it");
}

Test(credentials, the_machine_is_the_host_with_its_port)
{
    char *machine = artel_credentials_machine("http://h:8080/path");
    cr_expect_str_eq(machine, "h:8080");
    free(machine);
}

Test(credentials, keys_have_the_form_that_wandb_checks)
{
    cr_expect_str_eq(s_check(KEY), "good");
    cr_expect_str_eq(s_check("local-" KEY), "good");
    cr_expect_str_eq(s_check(KEY "_more"), "good");
    cr_expect_str_eq(s_check("a-b.c_d.e"), "good");
    cr_expect_str_eq(s_check(""), "the key is empty");
    cr_expect_str_eq(s_check("short"), "a key has at least 40 characters, and this one has 5");
    cr_expect_str_eq(s_check("local-short"), "a key has at least 40 characters, and this one has 5");
    cr_expect_str_eq(s_check(KEY "!"), "a key has only letters, digits, _ and -");
    cr_expect_str_eq(s_check("a\r\nX: y-" KEY), "a key has only letters, digits, _ and -");
    cr_expect_str_eq(s_check("a.b"), "a key has only letters, digits, _ and -");
}

//  The header for a server, or "" if there is no key, or why it fails.
static const char *
s_found(const char *url)
{
    static char text[256];
    artel_credentials_t found;
    if (artel_credentials_find(url, &found, s_why, sizeof s_why) != 0)
        return s_why;
    snprintf(text, sizeof text, "%s", found.header ? found.header : "");
    cr_expect_eq(found.key.header, found.header);
    cr_expect_str_eq(found.key.base, url);
    artel_credentials_done(&found);
    return text;
}

Test(credentials, the_environment_comes_before_the_netrc_file)
{
    //  printf 'api:%s' KEY | base64 -w0
    const char *basic = "Authorization: Basic YXBpOjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc=",
               *other = "Authorization: Basic YXBpOm90aGVyLTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc=";
    cr_expect_str_eq(s_found("http://h:1"), "");
    s_write_text(s_in(".netrc"), "machine h:1 login x password other-" KEY "\n");
    cr_expect_str_eq(s_found("http://h:1"), other);
    cr_expect_str_eq(s_found("http://h"), "");
    setenv("WANDB_API_KEY", KEY, 1);
    cr_expect_str_eq(s_found("http://h:1"), basic);
}

Test(credentials, what_is_wrong_is_told_without_the_key)
{
    setenv("WANDB_API_KEY", "canary", 1);
    cr_expect_str_eq(s_found("http://h"), "a key has at least 40 characters, and this one has 6");
    unsetenv("WANDB_API_KEY");
    s_write_text(s_in(".netrc"), "machine h\ncanary");
    cr_expect_not_null(strstr(s_found("http://h"), ".netrc: line 2 is none of a netrc file"));
}
