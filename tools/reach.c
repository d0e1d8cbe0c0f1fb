//  reach.c - opening what a command works on.

#include "reach.h"

#include "command.h"
#include "errors.h"
#include "sinks.h"
#include "state.h"
#include "term.h"

#include <czmq.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
artel_reach_exit(int code)
{
    static const struct {
        int code, exit;
    } table[] = {
        { ARTEL_OK, ARTEL_EXIT_DONE },          { ARTEL_ENOENT, ARTEL_EXIT_NOT_FOUND },
        { ARTEL_EPENDING, ARTEL_EXIT_PENDING }, { ARTEL_ETIMEOUT, ARTEL_EXIT_PENDING },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return table[i].exit;
    return ARTEL_EXIT_FAILED;
}

int
artel_reach_state(const artel_args_t *args, char **ret)
{
    int rc = artel_state_find(artel_args_text(args, "dir"), ret);
    if (rc == 0)
        return 0;
    if (rc == ARTEL_EINVAL)
        artel_complain("there is no state directory: neither --dir, ARTEL_DIR nor HOME is set");
    else
        artel_complain("the state directory cannot be found: %s", artel_error_text(rc));
    return ARTEL_EXIT_FAILED;
}

//  What a library thread has to say.
static void
s_hear(void *arg, int level, const char *text)
{
    artel_session_t *self = arg;
    if (level >= ARTEL_LOG_WARNING && !self->deaf)
        artel_complain("%s", text);
}

static int
s_open(const artel_args_t *args, const char *sinks, bool linked, artel_session_t *ret)
{
    artel_options_t options = { .size = sizeof options, .dir = artel_args_text(args, "dir"),
                                .sinks = sinks ? sinks : artel_args_text(args, "sink"),
                                .log = s_hear, .log_arg = ret, .linked = linked };
    ret->deaf = false;
    int rc = artel_open(&options, &ret->client);
    if (rc != 0)
        artel_complain("%s", artel_open_error());
    return rc == ARTEL_EINVAL ? ARTEL_EXIT_USAGE : rc != 0 ? ARTEL_EXIT_FAILED : 0;
}

int
artel_session_open(const artel_args_t *args, const char *sinks, artel_session_t *ret)
{
    return s_open(args, sinks, false, ret);
}

int
artel_session_link(const artel_args_t *args, const char *sinks, artel_session_t *ret)
{
    return s_open(args, sinks, true, ret);
}

int
artel_session_close(artel_session_t *self, int timeout_ms, bool silently)
{
    if (!self->client)
        return 0;
    self->deaf = true;
    int rc = artel_close(&self->client, timeout_ms);
    if (rc == ARTEL_EPENDING)                   //  an actor may wait for a disk still: at exit czmq
        zsys_set_logstream(NULL);               //  would complain of its sockets
    if (rc != 0 && !silently)
        artel_complain("%s", artel_open_error());
    return rc;
}

void
artel_session_why(const artel_session_t *self, int code, char *ret, size_t size)
{
    if (artel_error(self->client, ret, size) == 0 || !*ret)
        snprintf(ret, size, "%s", artel_error_text(code));
}

//  Where the primary sink's store is: place, or the state directory.
static int
s_find_place(const artel_args_t *args, artel_place_t *self)
{
    const char *list = artel_args_text(args, "sink");
    artel_sinks_t sinks;
    char why[256];
    if (artel_sinks_parse(list ? list : getenv("ARTEL_SINKS"), &sinks, why, sizeof why) != 0) {
        artel_complain("%s", why);
        return ARTEL_EXIT_USAGE;
    }
    const char *place = sinks.at[sinks.primary].place;
    self->place = strdup(place ? place : self->state);
    snprintf(self->sink, sizeof self->sink, "%s", sinks.at[sinks.primary].name);
    artel_sinks_done(&sinks);
    if (self->place)
        return 0;
    artel_complain("out of memory");
    return ARTEL_EXIT_FAILED;
}

int
artel_reach_place(const artel_args_t *args, artel_place_t *ret)
{
    *ret = (artel_place_t) { .db = NULL };
    int rc = artel_reach_state(args, &ret->state);
    return rc == 0 ? s_find_place(args, ret) : rc;
}

int
artel_reach_check(const char *state)
{
    if (access(state, F_OK) == 0 || errno != ENOENT)
        return 0;
    artel_complain("there is no state directory %s; what logs makes one, and --dir or ARTEL_DIR names another",
                   state);
    return ARTEL_EXIT_NOT_FOUND;
}

int
artel_reach_store(const artel_args_t *args, bool writable, artel_place_t *ret)
{
    int rc = artel_reach_place(args, ret);
    if (rc == 0)
        rc = artel_reach_check(ret->state);
    if (rc != 0)
        return rc;
    rc = artel_catalogue_open(ret->place, false, &ret->catalogue);
    if (rc == 0 && writable) {                  //  only now: opening to write would make one
        artel_catalogue_close(&ret->catalogue);
        rc = artel_catalogue_open(ret->place, true, &ret->catalogue);
    }
    if (rc == ARTEL_ENOENT)
        return 0;
    if (rc != 0) {
        artel_complain("the catalogue in %s cannot be opened: %s", ret->place, artel_error_text(rc));
        return ARTEL_EXIT_FAILED;
    }
    ret->db = artel_catalogue_db(ret->catalogue);
    return 0;
}

void
artel_reach_done(artel_place_t *self)
{
    artel_catalogue_close(&self->catalogue);
    free(self->state);
    free(self->place);
    *self = (artel_place_t) { .db = NULL };
}

int
artel_reach_read(const artel_args_t *args, int (*fn)(const artel_args_t *args, const artel_place_t *place))
{
    artel_place_t place;
    int rc = artel_reach_store(args, false, &place);
    if (rc == 0)
        rc = fn(args, &place);
    artel_reach_done(&place);
    return rc;
}

//  Only asked where somebody has written the file: artel_state_is_ours would.
artel_owner_t
artel_reach_owner(const artel_place_t *self)
{
    char *path = artel_format("%s/host", self->state);
    bool there = path && access(path, F_OK) == 0;
    free(path);
    return !there ? ARTEL_OWNER_NONE
           : artel_state_is_ours(self->state) ? ARTEL_OWNER_WE : ARTEL_OWNER_OTHER;
}
