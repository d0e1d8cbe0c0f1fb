//  connect.c - a node in this process, or a service.

#include "connect.h"

#include "errors.h"
#include "link.h"
#include "service.h"
#include "state.h"

enum { WELCOME_MS = 5000 };

static int
s_find_state(artel_t *self, const artel_options_t *options)
{
    int rc = artel_state_find(options->dir, &self->dir);
    if (rc != 0) {
        artel_open_failed("no state directory: %s; set HOME, ARTEL_DIR or options.dir",
                          artel_error_code_text(rc));
        return rc;
    }
    rc = artel_state_make(self->dir);
    if (rc != 0)
        artel_open_failed("the state directory %s can't be used: %s; name another with ARTEL_DIR or "
                          "options.dir", self->dir, artel_error_code_text(rc));
    return rc;
}

static int
s_start_link(artel_t *self)
{
    int rc = self->wake_fd < 0 ? ARTEL_EMFILE : artel_link_start(self);
    if (rc != 0)
        artel_open_failed("the client did not start: %s (state directory %s)", artel_error_code_text(rc), self->dir);
    return rc;
}

static int
s_link_node(artel_t *self, const artel_options_t *options)
{
    char why[256] = "";
    int rc = artel_targets_new(options->sinks, &self->targets, why, sizeof why);
    if (rc == 0)
        rc = artel_node_start(&(artel_node_args_t) { .state = self->dir, .sinks = options->sinks }, &self->node,
                              why, sizeof why);
    if (rc != 0) {
        artel_open_failed("%s (state directory %s, sinks \"%s\")", why, self->dir,
                          options->sinks && *options->sinks ? options->sinks : "store");
        return rc;
    }
    snprintf(self->endpoint, sizeof self->endpoint, "%s", artel_node_endpoint(self->node));
    return s_start_link(self);
}

static int
s_await_welcome(artel_t *self)
{
    artel_deadline_t deadline = artel_deadline(WELCOME_MS);
    pthread_mutex_lock(&self->lock);
    bool in_time = true;
    while (in_time && !self->welcomed && self->welcome_code == 0)
        in_time = artel_wait(&self->changed, &self->lock, deadline);
    int rc = self->welcomed ? 0 : self->welcome_code ? self->welcome_code : ARTEL_EUNAVAIL;
    pthread_mutex_unlock(&self->lock);
    if (rc == ARTEL_EUNAVAIL)
        artel_open_failed("the service at %s has not answered within 5 s", self->endpoint);
    else if (rc != 0)
        artel_open_failed("the service at %s does not take us: %s", self->endpoint, artel_error_code_text(rc));
    return rc;
}

//  The sinks are the service's: a program that asked for others is told.
static void
s_compare_sinks(artel_t *self, const artel_options_t *options)
{
    artel_targets_t *ours;
    char why[256];
    if (!options->sinks || !*options->sinks || artel_targets_new(options->sinks, &ours, why, sizeof why) != 0)
        return;
    pthread_mutex_lock(&self->lock);
    artel_targets_t *theirs = artel_targets_ref(self->targets);
    pthread_mutex_unlock(&self->lock);
    if (strcmp(ours->list, theirs->list) != 0)
        artel_warn(&self->notes, ARTEL_EINVAL, "the service at %s delivers to %s, not to the sinks asked for here (%s)",
                   self->endpoint, theirs->list, ours->list);
    artel_targets_unref(ours);
    artel_targets_unref(theirs);
}

static int
s_join_service(artel_t *self, const char *path, const artel_options_t *options)
{
    self->service = true;
    snprintf(self->endpoint, sizeof self->endpoint, "ipc://%s", path);
    int rc = s_start_link(self);
    if (rc == 0)
        rc = s_await_welcome(self);
    if (rc == 0)
        s_compare_sinks(self, options);
    return rc;
}

//  An endpoint that was named is the only one.
static int
s_join_named(artel_t *self, const char *endpoint, const artel_options_t *options)
{
    if (strncmp(endpoint, "ipc:///", 7) != 0) {
        artel_open_failed("ARTEL_ENDPOINT is \"%s\"; it is to be ipc:// and the absolute path of a service's socket",
                          endpoint);
        return ARTEL_EINVAL;
    }
    const char *path = endpoint + strlen("ipc://");
    int rc = artel_service_probe(path);
    if (rc == 0)
        return s_join_service(self, path, options);
    if (rc == ARTEL_EACCES) {
        artel_open_failed("ARTEL_ENDPOINT is %s, where another user listens, or which we may not enter", endpoint);
        return rc;
    }
    artel_open_failed("no service listens at %s (ARTEL_ENDPOINT)", endpoint);
    return rc == ARTEL_ENOENT ? ARTEL_EUNAVAIL : rc;
}

int
artel_connect(artel_t *self, const artel_options_t *options)
{
    const char *endpoint = getenv("ARTEL_ENDPOINT");
    if (endpoint && *endpoint && !options->linked)
        return s_join_named(self, endpoint, options);
    char *path = NULL;
    int rc = s_find_state(self, options);
    if (rc != 0 || options->linked)
        return rc != 0 ? rc : s_link_node(self, options);
    rc = artel_service_path(self->dir, &path);
    if (rc == 0)
        rc = artel_service_probe(path);
    if (rc == 0)
        rc = s_join_service(self, path, options);
    else if (rc == ARTEL_ENOENT || rc == ARTEL_ELIMIT || rc == ARTEL_EACCES)
        rc = s_link_node(self, options);        //  no service, or none that could have that socket
    else
        artel_open_failed("the service of %s cannot be asked: %s", self->dir, artel_error_code_text(rc));
    free(path);
    return rc;
}
