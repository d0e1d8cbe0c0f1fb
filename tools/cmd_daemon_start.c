//  cmd_daemon_start.c - artel daemon start: the service in the background, once it answers.

#include "artel.h"
#include "command.h"
#include "daemon.h"
#include "state.h"
#include "term.h"

#include <czmq.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 10000, STEP_MS = 20, TAIL = 2000, EXIT_NO_PROGRAM = 127 };

typedef struct {
    const artel_args_t *args;
    artel_daemon_t daemon;
    char *log;                      //  the path of its log
    off_t log_size;                 //  before it was started
    pid_t child;                    //  0: none was started, or it has ended
    bool started;                   //  there was a child
    int status;                     //  of the child that ended
} start_t;

//  In the child: nothing of the terminal or of what the caller has open stays.
static void
s_become(const start_t *self, int log)
{
    int null = open("/dev/null", O_RDWR);
    setsid();
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    artel_daemon_exec(self->args, self->daemon.dir, self->log);
    fprintf(stderr, "arteld cannot be run: %s\n", strerror(errno));
    _exit(EXIT_NO_PROGRAM);
}

static int
s_open_log(start_t *self)
{
    struct stat st;
    self->log = artel_format("%s/arteld.log", self->daemon.dir);
    int fd = self->log ? open(self->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd >= 0 && fstat(fd, &st) == 0)
        self->log_size = st.st_size;
    return fd;
}

static int
s_spawn(start_t *self)
{
    int log = s_open_log(self);
    if (log < 0) {
        artel_complain("%s/arteld.log: %s", self->daemon.dir, strerror(errno));
        return ARTEL_EXIT_FAILED;
    }
    self->child = fork();
    if (self->child == 0)
        s_become(self, log);
    close(log);
    self->started = self->child > 0;
    if (self->started)
        return 0;
    artel_complain("there is no process for the service: %s", strerror(errno));
    return ARTEL_EXIT_FAILED;
}

//  Whether the service is the child: that began a session.
static bool
s_is_ours(const start_t *self)
{
    return self->child > 0 && self->daemon.pid && getsid(self->daemon.pid) == self->child;
}

//  Another one was faster: ours waits for the lock, and would take it when that one is stopped.
static void
s_yield(start_t *self)
{
    kill(self->child, SIGTERM);
    waitpid(self->child, &self->status, 0);
    self->child = 0;
}

//  Whether it came to serve. Ours may end because another one was faster, which then is waited for.
static bool
s_await(start_t *self, int timeout_ms)
{
    int64_t end = zclock_mono() + timeout_ms;
    for (;;) {
        if (self->child > 0 && waitpid(self->child, &self->status, WNOHANG) == self->child)
            self->child = 0;
        artel_daemon_look(&self->daemon);
        bool nobody = !self->daemon.taken && self->child == 0;
        if (self->daemon.serving || nobody || zclock_mono() >= end)
            return self->daemon.serving;
        zclock_sleep(STEP_MS);
    }
}

//  What the log got since, at most its end.
static void
s_show_log(const start_t *self)
{
    char line[512];
    struct stat st;
    FILE *file = self->started ? fopen(self->log, "re") : NULL;
    if (!file)
        return;
    off_t from = fstat(fileno(file), &st) == 0 && st.st_size >= self->log_size ? self->log_size : 0;
    if (st.st_size - from > TAIL)
        from = st.st_size - TAIL;
    fseeko(file, from, SEEK_SET);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        fputs("  ", stderr);
        artel_term_put(line, stderr);
        fputc('\n', stderr);
    }
    fclose(file);
}

static int
s_fail(const start_t *self)
{
    bool ended = self->started && self->child == 0;
    if (ended && WIFSIGNALED(self->status))
        artel_complain("the service did not start: %s", strsignal(WTERMSIG(self->status)));
    else if (ended)
        artel_complain("the service did not start");
    else
        artel_complain("%s", self->daemon.why);
    s_show_log(self);
    return ended && WIFEXITED(self->status) && WEXITSTATUS(self->status) == ARTEL_EXIT_USAGE
           ? ARTEL_EXIT_USAGE : ARTEL_EXIT_FAILED;
}

static int
s_report(const start_t *self)
{
    const artel_daemon_t *daemon = &self->daemon;
    bool ours = self->child > 0;
    char who[64];
    if (artel_args_has(self->args, "json")) {
        json_t *row = artel_daemon_row(daemon);
        if (row)
            json_object_set_new(row, "started", json_boolean(ours));
        return artel_daemon_print(row);
    }
    if (!artel_args_has(self->args, "quiet"))
        printf(ours ? "%s serves %s\n" : "%s serves %s already\n", artel_daemon_who(daemon, who, sizeof who), daemon->dir);
    return 0;
}

static int
s_start(start_t *self, int timeout_ms)
{
    artel_daemon_look(&self->daemon);
    int rc = self->daemon.taken ? 0 : s_spawn(self);
    if (rc != 0)
        return rc;
    if (!s_await(self, timeout_ms))
        return s_fail(self);
    if (self->child > 0 && !s_is_ours(self))
        s_yield(self);
    return s_report(self);
}

//  The directory, so that there is a place for the log.
static int
s_make(const artel_args_t *args, artel_daemon_t *daemon)
{
    int rc = artel_daemon_find(args, daemon);
    if (rc != 0 || daemon->socket)
        return rc;
    rc = artel_state_make(daemon->dir);
    if (rc != 0) {
        artel_complain("the state directory %s cannot be made: %s", daemon->dir, artel_error_text(rc));
        return ARTEL_EXIT_FAILED;
    }
    artel_daemon_done(daemon);
    return artel_daemon_find(args, daemon);
}

static int
s_run(const artel_args_t *args)
{
    start_t self = { .args = args };
    int timeout_ms, rc = artel_args_ms(args, "timeout", TIMEOUT_MS, &timeout_ms);
    if (rc != 0)
        return rc;
    rc = s_make(args, &self.daemon);
    if (rc == 0)
        rc = s_start(&self, timeout_ms);
    free(self.log);
    artel_daemon_done(&self.daemon);
    return rc;
}

static const artel_option_t s_options[] = {
    { "timeout", 't', "SECONDS", "how long to wait until it answers (10)" },
    { 0 },
};

const artel_command_t artel_cmd_daemon_start = {
    .name = "daemon start", .operands = "", .min = 0, .max = 0,
    .brief = "start the service in the background",
    .about =
        "Starts arteld over the state directory, without a terminal, and returns 0 when it answers\n"
        "programs; if it does not it says why, with the end of its log, arteld.log in the state\n"
        "directory. One that runs already is left alone, which is no error. It is started again\n"
        "should it die, and ends with 'artel daemon stop'. Programs that have the directory open\n"
        "go on as they are; those that open it from now on log through the service.",
    .options = s_options,
    .examples = "artel daemon start\n"
                "artel daemon start --dir /srv/artel --json",
    .run = s_run,
};
