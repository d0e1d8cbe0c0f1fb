//  referral.c - how W&B's manifest says what is elsewhere, scheme by scheme.

#include "referral.h"

#include <string.h>

//  What the digest of something is under a scheme, and where its uri says which version is meant.
typedef struct {
    const char *prefix;
    bool is_etag;               //  the digest is an ETag, and goes to extra too
    bool quoted;                //  there with its quotes
    const char *version;        //  what comes before the version at the uri's end
} scheme_t;

static const scheme_t s_schemes[] = {
    { "s3://", true, false, "?versionId=" },
    { "gs://", false, false, "#" },
    { "http://", true, true, NULL },
    { "https://", true, true, NULL },
    { "", false, false, NULL },
};

static const scheme_t *
s_scheme(artel_str_t uri)
{
    const scheme_t *scheme = s_schemes;
    while (uri.len < strlen(scheme->prefix) || memcmp(uri.at, scheme->prefix, strlen(scheme->prefix)) != 0)
        scheme++;
    return scheme;
}

static artel_str_t
s_without_quotes(artel_str_t text)
{
    if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
        return (artel_str_t) { text.at + 1, text.len - 2 };
    return text;
}

//  Cut the version off the uri.
static void
s_split(const char *mark, artel_referral_t *ret)
{
    size_t len = strlen(mark);
    const char *at = memmem(ret->ref.at, ret->ref.len, mark, len);
    if (!at)
        return;
    size_t cut = (size_t) (at - ret->ref.at);
    ret->version = (artel_str_t) { at + len, ret->ref.len - cut - len };
    ret->ref.len = cut;
}

void
artel_referral_read(artel_str_t uri, artel_str_t digest, artel_referral_t *ret)
{
    const scheme_t *scheme = s_scheme(uri);
    *ret = (artel_referral_t) { .ref = uri, .digest = digest.len ? digest : uri };
    if (scheme->version)
        s_split(scheme->version, ret);
    if (digest.len && scheme->is_etag) {
        ret->digest = s_without_quotes(digest);
        ret->etag = scheme->quoted ? digest : ret->digest;
    }
}
