//  saving_asks.h - what the steps ask and read that are not of a saving proper.

#ifndef ARTEL_SAVING_ASKS_H
#define ARTEL_SAVING_ASKS_H

#include "saving_self.h"

//  The variables of a step, or NULL: no memory; and 0, or what the reading has told.
json_t *
artel_saving_ask_find(artel_saving_t *self);
int
artel_saving_read_find(artel_saving_t *self, const artel_reading_t *reading);
json_t *
artel_saving_ask_use(artel_saving_t *self);
int
artel_saving_read_use(artel_saving_t *self, const artel_reading_t *reading);

#endif
