//  sanitized.h - for programs that leave threads behind on purpose: they fork, exit in the
//  middle, or close while a disk stands still. What such threads held is no leak.

#ifndef ARTEL_SANITIZED_H
#define ARTEL_SANITIZED_H

//  Whether a sanitizer is in: its allocator does not survive the fork of a program with threads.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

const char *
__asan_default_options(void);

//  Read by the sanitizer's library when the program starts.
__attribute__((visibility("default"))) const char *
__asan_default_options(void)
{
    return "detect_leaks=0";
}

#endif
