//  daemon.c - finding the service, asking it, becoming it.

#include "daemon.h"

#include "artel.h"
#include "command.h"
#include "errors.h"
#include "human.h"
#include "json.h"
#include "marks.h"
#include "pending.h"
#include "presence.h"
#include "reach.h"
#include "service.h"
#include "state.h"
#include "term.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
s_find_socket(artel_daemon_t *self)
{
    int rc = artel_service_path(self->dir, &self->socket);
    if (rc == 0 || rc == ARTEL_ENOENT)
        return 0;
    if (rc == ARTEL_ELIMIT)
        artel_complain("the path of the socket would be too long; set XDG_RUNTIME_DIR to a shorter one");
    else
        artel_complain("%s: %s", self->dir, artel_error_text(rc));
    return ARTEL_EXIT_FAILED;
}

int
artel_daemon_find(const artel_args_t *args, artel_daemon_t *ret)
{
    *ret = (artel_daemon_t) { .pid = 0 };
    int rc = artel_reach_state(args, &ret->dir);
    return rc == 0 ? s_find_socket(ret) : rc;
}

void
artel_daemon_done(artel_daemon_t *self)
{
    free(self->dir);
    free(self->socket);
    *self = (artel_daemon_t) { .pid = 0 };
}

static void
s_hear_nothing(void *arg, int level, const char *text)
{
    (void) arg, (void) level, (void) text;
}

//  Whether it greets a client: who only listens may hang.
static int
s_greet(const char *socket)
{
    artel_options_t options = { .size = sizeof options, .log = s_hear_nothing };
    artel_t *client;
    char *endpoint = artel_format("ipc://%s", socket);
    if (!endpoint || setenv("ARTEL_ENDPOINT", endpoint, 1) != 0) {
        free(endpoint);
        return ARTEL_ENOMEM;
    }
    free(endpoint);
    int rc = artel_open(&options, &client);
    unsetenv("ARTEL_ENDPOINT");
    if (rc == 0)
        artel_close(&client, 0);
    return rc;
}

const char *
artel_daemon_who(const artel_daemon_t *self, char *ret, size_t size)
{
    snprintf(ret, size, self->pid ? "pid %d" : "a process that is not seen from here", self->pid);
    return ret;
}

static void
s_ask(artel_daemon_t *self)
{
    char who[64];
    artel_daemon_who(self, who, sizeof who);
    int rc = artel_service_probe(self->socket);
    if (rc == ARTEL_ENOENT)
        snprintf(self->why, sizeof self->why, "%s is the service, but does not listen at %s: it is starting, "
                 "or has another XDG_RUNTIME_DIR", who, self->socket);
    else if (rc != 0)
        snprintf(self->why, sizeof self->why, "%s is the service, but %s cannot be asked: %s", who,
                 self->socket, artel_error_text(rc));
    else if (s_greet(self->socket) != 0)
        snprintf(self->why, sizeof self->why, "%s is the service, but: %s", who, artel_open_error());
    else
        self->serving = true;
}

void
artel_daemon_look(artel_daemon_t *self)
{
    self->pid = 0;
    int held = self->socket ? artel_service_holder(self->dir, &self->pid) : 0;
    self->taken = held > 0;
    self->serving = false;
    self->why[0] = 0;
    if (held > 0)
        s_ask(self);
    else if (held < 0)
        snprintf(self->why, sizeof self->why, "%s/service: %s", self->dir, artel_error_text(held));
    else
        snprintf(self->why, sizeof self->why, "no service runs over %s", self->dir);
}

typedef struct {
    const char *dir;
    json_int_t n;
} count_t;

static int
s_count_pending(void *arg, const char *run, artel_id_t writer)
{
    (void) run, (void) writer;
    ((count_t *) arg)->n++;
    return 0;
}

static int
s_count_live(void *arg, const char *run, artel_id_t writer)
{
    count_t *self = arg;
    self->n += artel_presence_check(self->dir, run, writer) == 1;
    return 0;
}

//  When the holder wrote itself into the lock's file; NULL: there is none.
static json_t *
s_since(const artel_daemon_t *self)
{
    char text[ARTEL_HUMAN_TEXT];
    struct stat st;
    char *path = self->taken ? artel_format("%s/service", self->dir) : NULL;
    bool known = path && stat(path, &st) == 0;
    free(path);
    return known ? json_string(artel_iso_time((int64_t) st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000, text))
                 : json_null();
}

json_t *
artel_daemon_row(const artel_daemon_t *self)
{
    count_t pending = { self->dir, 0 }, live = { self->dir, 0 };
    (void) artel_pending_each(self->dir, s_count_pending, &pending);
    (void) artel_marks_each(self->dir, "clients", NULL, s_count_live, &live);
    return json_pack("{s:o s:b s:o s:o s:o s:I s:I s:o}", "dir", artel_json_text(self->dir), "serving", self->serving,
        "pid", self->pid ? json_integer(self->pid) : json_null(), "since", s_since(self),
        "socket", self->socket ? artel_json_text(self->socket) : json_null(), "pending", pending.n, "runs", live.n,
        "error", *self->why ? artel_json_text(self->why) : json_null());
}

int
artel_daemon_print(json_t *row)
{
    if (!row) {
        artel_complain("out of memory");
        return ARTEL_EXIT_FAILED;
    }
    artel_json_put(row, stdout);
    putchar('\n');
    json_decref(row);
    return 0;
}

//  The path of the arteld that was installed with this program, if there is one.
static bool
s_find_beside(char *ret, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", ret, size - 1);
    if (n <= 0)
        return false;
    ret[n] = 0;
    char *name = strrchr(ret, '/') + 1;
    snprintf(name, size - (size_t) (name - ret), "arteld");
    return access(ret, X_OK) == 0;
}

void
artel_daemon_exec(const artel_args_t *args, const char *dir, const char *log)
{
    const char *sink = artel_args_text(args, "sink"), *argv[8] = { "arteld", "--dir", dir };
    size_t n = 3;
    char beside[PATH_MAX];
    if (sink) {
        argv[n++] = "--sink";
        argv[n++] = sink;
    }
    if (log) {
        argv[n++] = "--log";
        argv[n++] = log;
    }
    execvp(s_find_beside(beside, sizeof beside) ? beside : "arteld", (char *const *) argv);
}
