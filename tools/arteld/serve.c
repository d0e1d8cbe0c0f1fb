//  serve.c - from a state directory that is ours to a node that answers at its socket, and back.

#include "serve.h"

#include "bounds.h"
#include "ends.h"
#include "errors.h"
#include "log.h"
#include "node.h"
#include "service.h"
#include "trace.h"

#include <czmq.h>
#include <signal.h>
#include <sys/resource.h>

typedef struct {
    const char *state;
    char *path;                 //  of the socket
    artel_node_t *node;
} self_t;

//  Programs may be many, and libzmq ends the process that runs out of descriptors.
static void
s_raise_fds(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        arteld_say(ARTELD_DEBUG, "up to %llu descriptors", (unsigned long long) limit.rlim_max);
}

static int
s_find_socket(self_t *self)
{
    int rc = artel_service_path(self->state, &self->path);
    if (rc == 0)
        rc = artel_service_folder(self->path);
    if (rc == ARTEL_EACCES)
        arteld_say(ARTELD_ERROR, "the folder of the socket %s is not ours alone; remove it, or set XDG_RUNTIME_DIR", self->path);
    else if (rc != 0)
        arteld_say(ARTELD_ERROR, "the socket %s: %s", self->path ? self->path : "", artel_error_code_text(rc));
    return rc;
}

static int
s_start_node(self_t *self, const char *sinks)
{
    char endpoint[128], why[256] = "";
    snprintf(endpoint, sizeof endpoint, "ipc://%s", self->path);
    int rc = artel_node_start(&(artel_node_args_t) { .state = self->state, .endpoint = endpoint,
        .sinks = sinks ? sinks : getenv("ARTEL_SINKS"), .search_ms = ARTEL_SEARCH_MS, .drains = true }, &self->node, why, sizeof why);
    if (rc != 0)
        arteld_say(ARTELD_ERROR, "%s", why);
    return rc;
}

static void
s_say_trace(void)
{
    char text[512];
    if (artel_trace_trouble(text, sizeof text))
        arteld_say(ARTELD_WARNING, "%s", text);
}

int
arteld_serve(const arteld_options_t *options, const arteld_place_t *place)
{
    self_t self = { .state = place->state };
    sigset_t ends = arteld_ends_block();
    signal(SIGPIPE, SIG_IGN);
    s_raise_fds();
    int rc = s_find_socket(&self);
    if (rc == 0)
        rc = s_start_node(&self, options->sinks);
    if (rc == 0) {
        arteld_say(ARTELD_INFO, "serving %s at %s", self.state, self.path);
        s_say_trace();
        int sig = arteld_ends_wait(&ends, -1);
        arteld_say(ARTELD_INFO, "%s: finishing what is under way", strsignal(sig));
        artel_node_stop(&self.node, options->drain_ms);
        s_say_trace();
        unlink(self.path);
    }
    free(self.path);
    return rc == 0 ? 0 : rc == ARTEL_EINVAL ? ARTELD_EXIT_USAGE : ARTELD_EXIT_FAILED;
}
