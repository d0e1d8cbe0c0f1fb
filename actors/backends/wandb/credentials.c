//  credentials.c - where a W&B server is, and the key for it.

#include "credentials.h"

#include "base64.h"
#include "errors.h"
#include "netrc.h"
#include "state.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOUD "https://api.wandb.ai"

enum { KEY_MIN = 40 };          //  characters of a key, without the prefix that some servers give

static int
s_refuse(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return ARTEL_EINVAL;
}

//  Behind "http://" or "https://"; NULL: it is neither.
static const char *
s_authority(const char *url)
{
    size_t n = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    return n && url[n] && !strchr("/?#", url[n]) ? url + n : NULL;
}

//  Whether its host is wandb.ai, or beneath that.
static bool
s_is_cloud(const char *machine)
{
    size_t len = strcspn(machine, ":");
    return len >= 8 && strncasecmp(machine + len - 8, "wandb.ai", 8) == 0;
}

static int
s_check_base(const char *base, const char *machine, char *why, size_t size)
{
    if (base[strcspn(base, " \t\r\n?#")])
        return s_refuse(why, size, "the address of the W&B server has a space, ? or # in it");
    if (!s_is_cloud(machine))
        return 0;
    if (!strstr(machine, "api."))
        return s_refuse(why, size, "the address of W&B's own server is " CLOUD);
    return strncmp(base, "https:", 6) == 0 ? 0 : s_refuse(why, size, "http is not safe for a key: use " CLOUD);
}

char *
artel_credentials_machine(const char *base)
{
    const char *at = s_authority(base);
    return at ? strndup(at, strcspn(at, "/?#")) : NULL;
}

int
artel_credentials_base(const char *url, char **ret, char *why, size_t size)
{
    const char *set = getenv("WANDB_BASE_URL");
    if (!url || !*url)
        url = set && *set ? set : CLOUD;
    if (!s_authority(url))
        return s_refuse(why, size, "the address of the W&B server does not begin with http:// or https:// and a host");
    size_t len = strlen(url);
    while (url[len - 1] == '/')
        len--;
    char *base = strndup(url, len), *machine = base ? artel_credentials_machine(base) : NULL;
    int rc = machine ? s_check_base(base, machine, why, size) : ARTEL_ENOMEM;
    free(machine);
    if (rc == 0)
        *ret = base;
    else
        free(base);
    return rc;
}

static size_t
s_word(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char) text[n]) || text[n] == '_' || text[n] == '-')
        n++;
    return n;
}

//  Three words with dots between.
static bool
s_is_token(const char *key)
{
    for (int i = 0; i < 2; i++) {
        size_t n = s_word(key);
        if (n == 0 || key[n] != '.')
            return false;
        key += n + 1;
    }
    return *key && s_word(key) == strlen(key);
}

int
artel_credentials_check(const char *key, char *why, size_t size)
{
    const char *dash = strchr(key, '-'), *secret = dash ? dash + 1 : key;
    if (!*key)
        return s_refuse(why, size, "the key is empty");
    if (s_is_token(key))
        return 0;
    if (key[strcspn(key, "\r\n")] || s_word(secret) != strlen(secret))
        return s_refuse(why, size, "a key has only letters, digits, _ and -");
    if (strlen(secret) < KEY_MIN) {
        snprintf(why, size, "a key has at least %d characters, and this one has %zu", KEY_MIN, strlen(secret));
        return ARTEL_EINVAL;
    }
    return 0;
}

static char *
s_header(const char *key)
{
    char *plain = artel_format("api:%s", key), *header = NULL;
    char *encoded = plain ? malloc(ARTEL_BASE64_TEXT(strlen(plain))) : NULL;
    if (encoded) {
        artel_base64(plain, strlen(plain), encoded);
        header = artel_format("Authorization: Basic %s", encoded);
    }
    free(encoded);
    free(plain);
    return header;
}

int
artel_credentials_make(const char *url, const char *key, artel_credentials_t *ret, char *why, size_t size)
{
    artel_credentials_t made = { 0 };
    int rc = artel_credentials_base(url, &made.base, why, size);
    if (rc == 0 && key)
        rc = artel_credentials_check(key, why, size);
    if (rc == 0 && !(made.graphql = artel_format("%s/graphql", made.base)))
        rc = ARTEL_ENOMEM;
    if (rc == 0 && key && !(made.header = s_header(key)))
        rc = ARTEL_ENOMEM;
    made.key = (artel_http_key_t) { made.base, made.header };
    if (rc == 0)
        *ret = made;
    else
        artel_credentials_done(&made);
    return rc;
}

//  The key of a netrc file, or "".
static int
s_look_up(const char *base, char key[ARTEL_NETRC_WORD], char *why, size_t size)
{
    char *path = NULL, *machine = artel_credentials_machine(base);
    int rc = machine ? artel_netrc_path(&path) : ARTEL_ENOMEM;
    *key = *why = 0;
    if (rc == 0)
        rc = artel_netrc_find(path, machine, key, why, size);
    if (rc != 0 && rc != ARTEL_ENOENT && !*why)
        snprintf(why, size, "%s: %s", path ? path : machine, artel_error_code_text(rc));
    free(machine);
    free(path);
    return rc == ARTEL_ENOENT ? 0 : rc;
}

int
artel_credentials_find(const char *url, artel_credentials_t *ret, char *why, size_t size)
{
    const char *set = getenv("WANDB_API_KEY");
    char *base, found[ARTEL_NETRC_WORD] = "";
    int rc = artel_credentials_base(url, &base, why, size);
    if (rc != 0)
        return rc;
    if (!set || !*set)
        rc = s_look_up(base, found, why, size);
    const char *key = set && *set ? set : found;
    if (rc == 0)
        rc = artel_credentials_make(base, *key ? key : NULL, ret, why, size);
    explicit_bzero(found, sizeof found);
    free(base);
    return rc;
}

void
artel_credentials_done(artel_credentials_t *self)
{
    if (self->header)
        explicit_bzero(self->header, strlen(self->header));
    free(self->base);
    free(self->graphql);
    free(self->header);
    *self = (artel_credentials_t) { 0 };
}
