//  serve.c - from a state directory to a node that answers at its socket, and back.

#include "serve.h"

#include "bounds.h"
#include "errors.h"
#include "fds.h"
#include "log.h"
#include "node.h"
#include "service.h"
#include "state.h"
#include "trace.h"

#include <czmq.h>
#include <signal.h>
#include <sys/resource.h>

enum { TAKE_MS = 2000, STEP_MS = 20 };

typedef struct {
    char *state;
    char *path;                 //  of the socket
    int lock;
    artel_node_t *node;
    sigset_t ends;              //  the signals that end the service, blocked
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

//  The signals are taken with sigtimedwait, by this thread; every other is born with them blocked.
static void
s_block_signals(self_t *self)
{
    sigemptyset(&self->ends);
    sigaddset(&self->ends, SIGTERM);
    sigaddset(&self->ends, SIGINT);
    sigaddset(&self->ends, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &self->ends, NULL);
    signal(SIGPIPE, SIG_IGN);
}

//  Wait up to ms, or for ever; the signal that ended it, or 0.
static int
s_wait(const self_t *self, int ms)
{
    struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
    int sig;
    do
        sig = ms < 0 ? sigwaitinfo(&self->ends, NULL) : sigtimedwait(&self->ends, NULL, &wait);
    while (sig < 0 && errno == EINTR);
    return sig > 0 ? sig : 0;
}

//  A service that was killed a moment ago may hold its lock until the system has cleaned up.
static int
s_take(self_t *self)
{
    char holder[64] = "";
    int rc, waited = 0;
    while ((rc = artel_service_take(self->state, &self->lock, holder, sizeof holder)) == ARTEL_ELOCKED
           && waited < TAKE_MS && s_wait(self, STEP_MS) == 0)
        waited += STEP_MS;
    if (rc == ARTEL_ELOCKED)
        arteld_say(ARTELD_ERROR, "another service serves %s already (%s)", self->state, holder);
    else if (rc != 0)
        arteld_say(ARTELD_ERROR, "%s/service: %s", self->state, artel_error_code_text(rc));
    return rc;
}

static int
s_find_state(self_t *self, const arteld_options_t *options)
{
    int rc = artel_state_find(options->state, &self->state);
    if (rc == 0)
        rc = artel_state_make(self->state);
    if (rc != 0)
        arteld_say(ARTELD_ERROR, "the state directory %s can't be used: %s", self->state ? self->state : "",
                   artel_error_code_text(rc));
    return rc;
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
        .sinks = sinks ? sinks : getenv("ARTEL_SINKS"), .search_ms = ARTEL_SEARCH_MS }, &self->node, why, sizeof why);
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

static void
s_done(self_t *self)
{
    artel_fd_close(self->lock);
    free(self->state);
    free(self->path);
}

int
arteld_serve(const arteld_options_t *options)
{
    self_t self = { .lock = -1 };
    s_block_signals(&self);
    s_raise_fds();
    int rc = s_find_state(&self, options);
    if (rc == 0)
        rc = s_take(&self);
    if (rc == 0)
        rc = s_find_socket(&self);
    if (rc == 0)
        rc = s_start_node(&self, options->sinks);
    if (rc == 0) {
        arteld_say(ARTELD_INFO, "serving %s at %s", self.state, self.path);
        s_say_trace();
        int sig = s_wait(&self, -1);
        arteld_say(ARTELD_INFO, "%s: finishing what is under way", strsignal(sig));
        artel_node_stop(&self.node, options->drain_ms);
        s_say_trace();
        unlink(self.path);
    }
    s_done(&self);
    return rc == 0 ? 0 : rc == ARTEL_EINVAL ? ARTELD_EXIT_USAGE : ARTELD_EXIT_FAILED;
}
