//  put.h - one artifact, logged and waited for.

#ifndef ARTEL_BENCH_PUT_H
#define ARTEL_BENCH_PUT_H

#include "artel.h"
#include "bench.h"

//  Seconds from artel_run_log_artifact until artel_future_wait says that the store has
//  committed it. add gives the artifact its path.
static inline double
bench_put(artel_run_t *run, int (*add)(artel_artifact_t *, const char *, const char *),
          const char *path)
{
    artel_artifact_t *artifact;
    artel_future_t *future;
    BENCH_CHECK(artel_artifact_new("bench", NULL, &artifact) == 0);
    BENCH_CHECK(add(artifact, path, NULL) == 0);

    double start = bench_now();
    BENCH_CHECK(artel_run_log_artifact(run, artifact, &future) == 0);
    BENCH_CHECK(artel_future_wait(future, -1) == 0);
    double took = bench_now() - start;

    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
    return took;
}

#endif
