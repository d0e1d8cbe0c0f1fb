//  fuzz.h - what every fuzz target shares.
//
//  A target is one function over foreign bytes. Built with clang it is a
//  libFuzzer program, built with any compiler a program that replays files
//  (replay.c). It must end the process if a promise of the decoder is broken,
//  not only if it crashes.

#ifndef ARTEL_FUZZ_H
#define ARTEL_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(promise)                                                        \
    do                                                                          \
        if (!(promise)) {                                                       \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #promise); \
            abort();                                                            \
        }                                                                       \
    while (0)

//  A state directory of this process, made at the first call and removed at exit.
const char *
fuzz_state(void);

//  Make (or replace) a file of these bytes below the state directory.
void
fuzz_put_file(const char *path, const void *data, size_t size);

#endif
