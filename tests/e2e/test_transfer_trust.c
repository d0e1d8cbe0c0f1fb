//  Where requests of the transfer actor go, what goes with them, and whom they trust.

#include "scripted.h"

TestSuite(transfer, .init = s_setup, .fini = s_teardown, .timeout = 60);

Test(transfer, a_failure_is_one_sentence_without_the_query)
{
    artel_http_t put = { .method = "PUT", .url = "http://127.0.0.1:1/bucket/x?X-Signature=canary" };
    s_do(&put);
    S_CODE(&put, ARTEL_EUNAVAIL);
    cr_assert_str_eq(put.text, "PUT http://127.0.0.1:1/bucket/x: connection refused");
    put.url = s_url("/x?do=403&canary");
    s_do(&put);
    cr_assert_null(strstr(put.text, "canary"), "%s", put.text);
    artel_http_done(&put);
}

Test(transfer, what_is_no_request_is_not_sent)
{
    static const char *const urls[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1", "", "http://",
        "http://me:canary@127.0.0.1/", "http://127.0.0.1/a b", "http://127.0.0.1:70000/", "http://127.0.0.1\\@h/" };
    static const char *const split[] = { "X-A: b\r\nX-B: c", NULL };
    artel_http_t get = { .method = "GET", .tries = 3 };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        get.url = urls[i];
        s_do(&get);
        S_CODE(&get, ARTEL_EINVAL);
        cr_assert_null(strstr(get.text, "canary"), "%s", get.text);
    }
    get = (artel_http_t) { .method = "GET", .url = s_url("/x"), .headers = split };
    s_do(&get);
    S_CODE(&get, ARTEL_EINVAL);
    cr_assert_eq(s_seen("/x"), 0);
}

#define KEY "Authorization: Basic canary"

Test(transfer, the_key_goes_to_its_own_origin_and_beneath_its_path_alone)
{
    char other[64];
    artel_http_key_t key = { s_url("/base"), KEY };
    artel_http_t get = { .method = "GET", .url = s_url("/base/x"), .key = &key };
    s_do(&get);
    S_HAS(&get, KEY);
    artel_http_done(&get);
    snprintf(other, sizeof other, "http://127.0.0.1:%u/base/x", s_other);
    const char *const urls[] = { other, s_url("/basement"), s_url("/base/../x"), s_url("/") };
    for (size_t i = 0; i < 4; i++) {
        get.url = urls[i];
        s_do(&get);
        S_CODE(&get, 0);
        S_HAS_NOT(&get, "canary");
        artel_http_done(&get);
    }
}

Test(transfer, a_redirect_to_another_origin_gets_neither_key_nor_headers)
{
    static const char *const headers[] = { "X-Secret: canary", NULL };
    artel_http_key_t key = { s_url(""), KEY };
    artel_http_t get = { .method = "GET", .url = s_url("/a?do=to:%25o/b"), .key = &key, .headers = headers, .follows = true };
    s_do(&get);
    S_CODE(&get, 0);
    S_HAS(&get, "GET /b");
    S_HAS_NOT(&get, "canary");
    artel_http_done(&get);
    get.url = s_url("/c?do=to:/d");
    s_do(&get);
    S_HAS(&get, "GET /d");
    S_HAS(&get, KEY);
    S_HAS(&get, "X-Secret: canary");
    artel_http_done(&get);
}

Test(transfer, follows_only_a_get_that_asks_for_it_and_only_over_http)
{
    artel_http_t get = { .method = "GET", .url = s_url("/a?do=to:/b") };
    s_do(&get);
    S_CODE(&get, ARTEL_EREFUSED);
    cr_assert_eq(get.status, 302);
    cr_assert_not(get.passes);
    artel_http_done(&get);
    artel_http_t put = { .method = "PUT", .url = s_url("/p?do=to:/b"), .follows = true };
    s_do(&put);
    S_CODE(&put, ARTEL_EREFUSED);
    artel_http_done(&put);
    get.follows = true;
    get.url = s_url("/f?do=to:file:///etc/passwd");
    s_do(&get);
    S_CODE(&get, ARTEL_EINVAL);
    artel_http_done(&get);
    cr_assert_eq(s_seen("GET /b") + s_seen("PUT /b"), 0);
}

Test(transfer, a_redirect_without_an_end_is_refused)
{
    artel_http_t get = { .method = "GET", .url = s_url("/round?do=round"), .follows = true, .tries = 2 };
    s_do(&get);
    S_CODE(&get, ARTEL_EREFUSED);
    cr_assert_eq(s_seen("/round"), 6);
    artel_http_done(&get);
}

Test(transfer, goes_through_the_proxy_of_the_environment)
{
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", s_port);
    setenv("http_proxy", proxy, 1);
    artel_http_t get = { .method = "GET", .url = "http://nowhere.invalid/x" };
    s_do(&get);
    S_CODE(&get, 0);
    S_HAS(&get, "GET http://nowhere.invalid/x");
    artel_http_done(&get);
}

static artel_http_t
s_get_secure(const char *trusted)
{
    if (trusted)
        setenv("SSL_CERT_FILE", trusted, 1);
    s_start_with((artel_transfer_args_t) { 0 });
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/x", s_secure);
    artel_http_t get = { .method = "GET", .url = url, .tries = 5 };
    s_do(&get);
    s_teardown();
    return get;
}

Test(transfer_tls, a_certificate_that_nobody_vouches_for_is_refused_once, .timeout = 60)
{
    s_serve(true);
    if (s_secure == 0)
        cr_skip("there is no openssl");
    artel_http_t get = s_get_secure(NULL);
    S_CODE(&get, ARTEL_EACCES);
    cr_assert_not(get.passes);
    cr_assert(strstr(get.text, "certificate is not trusted"), "%s", get.text);
}

Test(transfer_tls, a_certificate_that_the_environment_vouches_for_is_accepted, .timeout = 60)
{
    s_serve(true);
    if (s_secure == 0)
        cr_skip("there is no openssl");
    artel_http_t get = s_get_secure(s_certificate);
    S_CODE(&get, 0);
    S_HAS(&get, "GET /x");
    artel_http_done(&get);
}

Test(transfer_tls, a_file_of_certificates_that_cannot_be_read_is_a_refusal, .timeout = 60)
{
    s_serve(true);
    if (s_secure == 0)
        cr_skip("there is no openssl");
    artel_http_t get = s_get_secure("/nonexistent");
    S_CODE(&get, ARTEL_EACCES);
}
