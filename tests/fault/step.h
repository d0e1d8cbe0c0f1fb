//  step.h - what libstep.so leaves for its driver (step.py reads it by offset).

#ifndef ARTEL_STEP_H
#define ARTEL_STEP_H

#include <stdatomic.h>

typedef struct {
    atomic_ulong calls;         //  calls that counted so far
    char what[504];             //  the call that was struck: "pwrite runs/..."
} step_t;

#endif
