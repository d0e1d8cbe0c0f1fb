//  place.c - finding, making and taking the state directory.

#include "place.h"

#include "ends.h"
#include "errors.h"
#include "fds.h"
#include "log.h"
#include "service.h"
#include "state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { TAKE_MS = 2000, STEP_MS = 20 };

static int
s_find(arteld_place_t *self, const arteld_options_t *options)
{
    int rc = artel_state_find(options->state, &self->state);
    if (rc == 0)
        rc = artel_state_make(self->state);
    if (rc != 0)
        arteld_say(ARTELD_ERROR, "the state directory %s can't be used: %s", self->state ? self->state : "",
                   artel_error_code_text(rc));
    return rc;
}

//  A service that was killed a moment ago may hold its lock until the system has cleaned up.
static int
s_take(arteld_place_t *self, int *ret_sig)
{
    sigset_t ends = arteld_ends_block();
    char holder[64] = "";
    int rc, waited = 0;
    while ((rc = artel_service_take(self->state, &self->lock, holder, sizeof holder)) == ARTEL_ELOCKED
           && waited < TAKE_MS && (*ret_sig = arteld_ends_wait(&ends, STEP_MS)) == 0) {
        if (waited == 0)
            arteld_say(ARTELD_DEBUG, "waiting for %s, which another service has (%s)", self->state, holder);
        waited += STEP_MS;
    }
    if (rc == ARTEL_ELOCKED && *ret_sig)
        arteld_say(ARTELD_INFO, "%s: not waiting any longer for %s, which another service has (%s)", strsignal(*ret_sig),
                   self->state, holder);
    else if (rc == ARTEL_ELOCKED)
        arteld_say(ARTELD_ERROR, "another service serves %s already (%s)", self->state, holder);
    else if (rc != 0)
        arteld_say(ARTELD_ERROR, "%s/service: %s", self->state, artel_error_code_text(rc));
    return rc;
}

int
arteld_place_take(const arteld_options_t *options, arteld_place_t *ret)
{
    int sig = 0;
    *ret = (arteld_place_t) { .lock = -1 };
    int rc = s_find(ret, options);
    if (rc == 0)
        rc = s_take(ret, &sig);
    return rc == 0 ? -1 : sig ? 0 : rc == ARTEL_EINVAL ? ARTELD_EXIT_USAGE : ARTELD_EXIT_FAILED;
}

//  A child closes what artel_fd_open gave (fds.h), but not a duplicate of it.
int
arteld_place_share(const arteld_place_t *self)
{
    return fcntl(self->lock, F_DUPFD_CLOEXEC, 0) < 0 ? -1 : 0;
}

void
arteld_place_leave(arteld_place_t *self)
{
    artel_fd_close(self->lock);
    free(self->state);
    *self = (arteld_place_t) { .lock = -1 };
}
