//  human.h - numbers, sizes and times as people read them.

#ifndef ARTEL_HUMAN_H
#define ARTEL_HUMAN_H

#include <stddef.h>
#include <stdint.h>

enum { ARTEL_HUMAN_TEXT = 40 };

//  A buffer of its own for each call, living as long as the caller's block:
//  artel_human_bytes(n, ARTEL_HUMAN_BUFFER).
#define ARTEL_HUMAN_BUFFER ((char[ARTEL_HUMAN_TEXT]) { 0 })

//  "1.3 GB" (powers of 1000), "1,234,567", "1 file" or "1,234 files", "2.5 s",
//  "3 min", "5 days". Each returns ret, which holds ARTEL_HUMAN_TEXT bytes.
const char *
artel_human_bytes(uint64_t bytes, char *ret);
const char *
artel_human_count(uint64_t n, char *ret);
const char *
artel_human_things(uint64_t n, const char *thing, char *ret);
const char *
artel_human_span(int64_t ms, char *ret);

//  Four significant digits, "0.01234"; "NaN", "Infinity".
const char *
artel_human_real(double value, char *ret);

//  Local time, "2026-03-01 17:05:09"; UTC for programs, "2026-03-01T16:05:09.123Z".
const char *
artel_human_time(int64_t ms, char *ret);
const char *
artel_iso_time(int64_t ms, char *ret);

#endif
