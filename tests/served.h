//  served.h - a service over a state directory, for a test that is to run through one.

#ifndef ARTEL_SERVED_H
#define ARTEL_SERVED_H

#include "service.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SERVED_S = 10 };

//  Whether this run of the test is to be through a service.
static inline bool
served_is_wanted(void)
{
    const char *stage = getenv("ARTEL_STAGE");
    return stage && strcmp(stage, "service") == 0;
}

static inline bool
served_answers(const char *state)
{
    char *socket;
    if (artel_service_path(state, &socket) != 0)
        return false;
    bool answers = artel_service_probe(socket) == 0;
    free(socket);
    return answers;
}

//  Start $ARTEL_BIN/arteld, with its socket in the state directory itself, and wait until it
//  answers: its pid, or -1. It dies with the thread that started it.
static inline pid_t
served_start(const char *state)
{
    char arteld[300];
    snprintf(arteld, sizeof arteld, "%s/arteld", getenv("ARTEL_BIN"));
    setenv("XDG_RUNTIME_DIR", state, 1);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(arteld, "arteld", "--no-restart", "--state", state, NULL);
        _exit(127);
    }
    for (time_t end = time(NULL) + SERVED_S; pid > 0 && !served_answers(state); usleep(1000))
        if (time(NULL) > end || waitpid(pid, NULL, WNOHANG) != 0)
            return -1;
    return pid;
}

//  Have it drain; its wait status.
static inline int
served_stop(pid_t pid)
{
    int status = 0;
    kill(pid, SIGTERM);
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

#endif
