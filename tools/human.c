//  human.c - numbers, sizes and times as people read them.

#include "human.h"

#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

const char *
artel_human_bytes(uint64_t bytes, char *ret)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    if (bytes < 1000) {
        snprintf(ret, ARTEL_HUMAN_TEXT, "%" PRIu64 " B", bytes);
        return ret;
    }
    double value = (double) bytes / 1000;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1000;
    snprintf(ret, ARTEL_HUMAN_TEXT, value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return ret;
}

const char *
artel_human_count(uint64_t n, char *ret)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *out = ret;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = 0;
    return ret;
}

const char *
artel_human_things(uint64_t n, const char *thing, char *ret)
{
    artel_human_count(n, ret);
    size_t len = strlen(ret);
    snprintf(ret + len, ARTEL_HUMAN_TEXT - len, " %s%s", thing, n == 1 ? "" : "s");
    return ret;
}

const char *
artel_human_span(int64_t ms, char *ret)
{
    static const struct {
        double below, unit;         //  seconds
        const char *format;
    } spans[] = {
        { 0.9995, 0.001, "%.0f ms" }, { 99.95, 1, "%.1f s" }, { 5400, 60, "%.0f min" },
        { 129600, 3600, "%.0f h" }, { HUGE_VAL, 86400, "%.0f days" },
    };
    double seconds = (double) ms / 1000;
    size_t i = 0;
    while (seconds >= spans[i].below)
        i++;
    snprintf(ret, ARTEL_HUMAN_TEXT, spans[i].format, seconds / spans[i].unit);
    return ret;
}

const char *
artel_human_real(double value, char *ret)
{
    if (isfinite(value))
        snprintf(ret, ARTEL_HUMAN_TEXT, "%.4g", value);
    else
        artel_real_text(value, ret);
    return ret;
}

const char *
artel_human_time(int64_t ms, char *ret)
{
    struct tm tm;
    time_t seconds = (time_t) (ms / 1000);
    if (!localtime_r(&seconds, &tm) || !strftime(ret, ARTEL_HUMAN_TEXT, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(ret, ARTEL_HUMAN_TEXT, "%" PRId64 " ms", ms);
    return ret;
}

const char *
artel_iso_time(int64_t ms, char *ret)
{
    struct tm tm;
    int64_t rest = ((ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t) ((ms - rest) / 1000);
    char date[32];
    if (gmtime_r(&seconds, &tm) && strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm))
        snprintf(ret, ARTEL_HUMAN_TEXT, "%s.%03dZ", date, (int) rest);
    else
        snprintf(ret, ARTEL_HUMAN_TEXT, "%" PRId64 " ms", ms);
    return ret;
}
