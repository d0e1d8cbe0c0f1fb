//  secret.h - a secret from a person or a pipe, never from the command line.

#ifndef ARTEL_SECRET_H
#define ARTEL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

//  One line of stdin, without white space around it. If stdin is a terminal, prompt is shown first
//  and what is typed is not. False: there was no line of fewer than size bytes, or a signal came
//  (interrupt.h) instead of it.
bool
artel_secret_read(const char *prompt, char *ret, size_t size);

#endif
