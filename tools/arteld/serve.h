//  serve.h - the service itself.

#ifndef ARTELD_SERVE_H
#define ARTELD_SERVE_H

#include "options.h"

//  Become the service of the state directory and serve until SIGTERM or SIGINT. Exit code.
int
arteld_serve(const arteld_options_t *options);

#endif
