//  upload.c - a PUT as W&B's server orders it: where to, and with which headers.

#include "upload.h"

#include "errors.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
s_is_plain(char c)
{
    return (unsigned char) c > ' ' && (unsigned char) c < 0x7f;
}

char *
artel_upload_url(const char *base, const char *url)
{
    size_t len = *url == '/' ? strlen(base) : 0;
    char *ret = malloc(len + 3 * strlen(url) + 1);
    if (!ret)
        return NULL;
    memcpy(ret, base, len);
    char *at = ret + len;
    for (; *url; url++)
        if (s_is_plain(*url))
            *at++ = *url;
        else
            at += sprintf(at, "%%%02X", (unsigned char) *url);
    *at = 0;
    return ret;
}

//  A name, a colon, and no line end by which more headers would come.
static bool
s_is_header(const char *text)
{
    return text && *text != ':' && strchr(text, ':') && !text[strcspn(text, "\r\n")];
}

int
artel_upload_headers(const json_t *headers, const char *const **ret)
{
    const char *text = json_string_value(headers);
    if (headers && !json_is_null(headers) && !json_is_array(headers) && !(text && !*text))
        return ARTEL_EPROTO;
    const char **list = calloc(json_array_size(headers) + 1, sizeof *list);
    if (!list)
        return ARTEL_ENOMEM;
    for (size_t i = 0; i < json_array_size(headers); i++) {
        list[i] = json_string_value(json_array_get(headers, i));
        if (!s_is_header(list[i])) {
            free(list);
            return ARTEL_EPROTO;
        }
    }
    *ret = list;
    return 0;
}

const char *
artel_upload_header(const char *const *headers, const char *name)
{
    size_t len = strlen(name);
    for (; *headers; headers++)
        if (strncasecmp(*headers, name, len) == 0 && (*headers)[len] == ':')
            return *headers + len + 1 + strspn(*headers + len + 1, " ");
    return "";
}
