//  serve.h - the service itself.

#ifndef ARTELD_SERVE_H
#define ARTELD_SERVE_H

#include "place.h"

//  Serve a place that is taken until a signal ends that (ends.h). Exit code.
int
arteld_serve(const arteld_options_t *options, const arteld_place_t *place);

#endif
