//  values.h - whether the values a program gives can be logged.

#ifndef ARTEL_VALUES_H
#define ARTEL_VALUES_H

#include "artel.h"

//  0, or ARTEL_EINVAL or ARTEL_ELIMIT with a sentence that names the value. Keys
//  are not looked at.
int
artel_values_check(const artel_value_t *values, size_t n, char *why, size_t size);

//  Which key a row was refused for with ARTEL_EINVAL or ARTEL_ELIMIT, as a sentence.
void
artel_values_explain(const artel_value_t *values, size_t n, char *why, size_t size);

#endif
