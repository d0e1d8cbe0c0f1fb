//  arteld.c - the service: a node behind a socket, for every program of this machine.

#include "log.h"
#include "options.h"
#include "serve.h"
#include "supervise.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int
s_supervise(const arteld_options_t *options, const arteld_place_t *place)
{
    if (arteld_place_share(place) == 0)
        return arteld_supervise(options, place);
    arteld_say(ARTELD_ERROR, "%s/service: %s", place->state, strerror(errno));
    return ARTELD_EXIT_FAILED;
}

int
main(int argc, char **argv)
{
    arteld_options_t options;
    int rc = arteld_options_parse(argc, argv, &options);
    if (rc >= 0)
        return rc;
    umask(077);
    arteld_log_limit((arteld_level_t) options.log_level);
    if (options.log && arteld_log_open(options.log) != 0) {
        arteld_say(ARTELD_ERROR, "%s: %s", options.log, strerror(errno));
        return ARTELD_EXIT_FAILED;
    }
    arteld_place_t place;
    rc = arteld_place_take(&options, &place);
    if (rc < 0)
        rc = options.no_restart ? arteld_serve(&options, &place) : s_supervise(&options, &place);
    arteld_place_leave(&place);
    return rc;
}
