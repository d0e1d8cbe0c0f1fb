//  http.c - one HTTP request: what is asked, and what came of it.

#include "http.h"

#include <stdlib.h>

void
artel_http_done(artel_http_t *self)
{
    free(self->answer);
    self->answer = NULL;
    self->answer_size = 0;
}
