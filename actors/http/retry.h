//  retry.h - what is asked again, and when. Pure.

#ifndef ARTEL_RETRY_H
#define ARTEL_RETRY_H

#include "http.h"

#include <time.h>

enum {
    ARTEL_RETRY_BASE_MS = 2000,         //  the first wait
    ARTEL_RETRY_MOST_MS = 60 * 1000,    //  the longest of our own
    ARTEL_RETRY_AFTER_MOST_MS = 300 * 1000, //  the longest that a server may ask for
};

//  Whether an answer with this status (not 2xx) is asked for again. The body may be NULL.
bool
artel_retry_passes(artel_http_rule_t rule, int status, const char *body);

//  How long to wait after the attempt with this number, from 0, for whoever drew chance of [0, 1):
//  min(60 s, base_ms * 2^attempt * (1 + chance / 4)), or what the server asked for, however short, up to 5 min.
//  If it asked for nothing (-1), or for no wait (0), ours stays: a server that fails is not asked again at once.
int64_t
artel_retry_wait_ms(unsigned attempt, int base_ms, double chance, int64_t asked_ms);

//  What Retry-After says: seconds, or a time told by the server's clock as of now_s (of 1970).
//  0: no wait, or a time that has passed. -1 if it is neither. date reads such a time, as curl_getdate does.
int64_t
artel_retry_after_ms(const char *text, int64_t now_s, time_t (*date)(const char *text, const time_t *unused));

//  A number of seconds that a header holds, or -1.
double
artel_retry_number(const char *text);

#endif
