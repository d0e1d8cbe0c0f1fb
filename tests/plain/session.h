//  session.h - what a program does with artel, for tests that look at its effects.
//
//  With ARTEL_STAGE=service there is a service over the case's directory.

#ifndef ARTEL_SESSION_H
#define ARTEL_SESSION_H

#include "artel.h"
#include "cases.h"
#include "served.h"

static pid_t session_service, session_owner;    //  the service, and who started it

static void
session_stop_service(void)
{
    if (session_owner == getpid())
        served_stop(session_service);
}

//  Start the service, if one is wanted. It ends with this process.
static void
session_serve(void)
{
    if (!served_is_wanted() || session_service)
        return;
    session_service = served_start(case_dir);
    CHECK(session_service > 0, "no service answers");
    session_owner = getpid();
    atexit(session_stop_service);
}

static artel_t *
session_open(const char *dir)
{
    artel_t *artel;
    session_serve();
    CHECK_OK(artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = dir }, &artel));
    return artel;
}

static artel_run_t *
session_run(artel_t *artel)
{
    artel_run_t *run;
    CHECK_OK(artel_run_start(artel, NULL, &run));
    return run;
}

static void
session_log(artel_run_t *run, int n)
{
    for (int i = 0; i < n; i++)
        CHECK_OK(artel_run_log(run, "loss", ARTEL_AUTO_STEP, 1.0 / (i + 1)));
}

static artel_future_t *
session_send(artel_run_t *run, const char *name)
{
    artel_artifact_t *artifact;
    artel_future_t *future;
    CHECK_OK(artel_artifact_new(name, "model", &artifact));
    CHECK_OK(artel_artifact_add_bytes(artifact, "weights", name, strlen(name)));
    CHECK_OK(artel_run_log_artifact(run, artifact, &future));
    artel_artifact_destroy(&artifact);
    return future;
}

//  Everything once: open, a run, rows, an artifact, wait, find, fetch, close.
static void __attribute__((unused))
session(const char *dir)
{
    artel_t *artel = session_open(dir);
    artel_run_t *run = session_run(artel);
    session_log(run, 100);
    artel_future_t *future = session_send(run, "m");
    CHECK_OK(artel_future_wait(future, 30000));
    artel_future_destroy(&future);
    CHECK_OK(artel_find(artel, "m", NULL));
    char out[300];
    snprintf(out, sizeof out, "%s/out", dir);
    CHECK_OK(artel_download(artel, "m:latest", out, NULL));
    CHECK_OK(artel_run_flush(run, ARTEL_DELIVERED, 30000));
    CHECK_OK(artel_run_finish(&run, 0));
    CHECK_OK(artel_close(&artel, 30000));
}

#endif
