//  retry.c - what is asked again, and when.

#include "retry.h"

#include <string.h>

enum { MAX_STATUSES = 12, MAX_SECONDS = 1000 * 1000 * 1000 };

//  Of 4xx and 5xx: either those that pass are few, or those that do not.
typedef struct {
    bool passes;                //  what is not listed
    int others[MAX_STATUSES];
} rule_t;

static const rule_t s_client[] = {
    [ARTEL_HTTP_CALL] = { true, { 400, 401, 403, 404, 409, 410, 413, 422 } },
    [ARTEL_HTTP_UPSERT] = { true, { 400, 401, 403, 404, 410, 413, 422 } },
    [ARTEL_HTTP_FILE] = { false, { 408, 409, 429 } },
};

static bool
s_is_listed(const rule_t *rule, int status)
{
    for (int i = 0; i < MAX_STATUSES; i++)
        if (rule->others[i] == status)
            return true;
    return false;
}

bool
artel_retry_passes(artel_http_rule_t rule, int status, const char *body)
{
    if (status >= 500)
        return status != 501;
    if (status < 400)
        return false;
    if (rule == ARTEL_HTTP_FILE && status == 400)       //  S3, of a body that came too slowly
        return body && strstr(body, "RequestTimeout");
    return s_client[rule].passes != s_is_listed(&s_client[rule], status);
}

int64_t
artel_retry_wait_ms(unsigned attempt, int base_ms, double chance, int64_t asked_ms)
{
    if (asked_ms > 0)
        return asked_ms < ARTEL_RETRY_AFTER_MOST_MS ? asked_ms : ARTEL_RETRY_AFTER_MOST_MS;
    double wait = base_ms * (1 + chance / 4);
    for (unsigned i = 0; i < attempt && wait < ARTEL_RETRY_MOST_MS; i++)
        wait *= 2;
    return wait < ARTEL_RETRY_MOST_MS ? (int64_t) wait : ARTEL_RETRY_MOST_MS;
}

//  Not strtod: the program may have chosen a locale with another decimal point.
double
artel_retry_number(const char *text)
{
    text += strspn(text, " \t");
    double number = 0, unit = 1;
    size_t whole = strspn(text, "0123456789"), part = 0;
    for (size_t i = 0; i < whole; i++)
        number = number * 10 + (text[i] - '0');
    text += whole;
    if (*text == '.')
        part = strspn(++text, "0123456789");
    for (size_t i = 0; i < part; i++)
        number += (text[i] - '0') * (unit /= 10);
    text += part;
    return whole && text[strspn(text, " \t\r\n")] == 0 && number < MAX_SECONDS ? number : -1;
}

int64_t
artel_retry_after_ms(const char *text, int64_t now_s, time_t (*date)(const char *text, const time_t *unused))
{
    double seconds = artel_retry_number(text);
    if (seconds >= 0)
        return (int64_t) (seconds * 1000);
    int64_t at = date(text, NULL);
    if (at < 0)
        return -1;
    return at > now_s ? (at - now_s) * 1000 : 0;
}
