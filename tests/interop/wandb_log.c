//  wandb_log.c - three rows and an artifact, and what became of waiting for it in the sink wandb, and of artel_close.
//
//      wandb_log TIMEOUT-MS

#include <artel.h>

#include <stdio.h>
#include <stdlib.h>

static int
s_log(artel_t *artel, int timeout_ms)
{
    artel_run_t *run;
    artel_artifact_t *bytes;
    artel_future_t *future;
    artel_run_options_t options = { .size = sizeof options, .id = "plain", .project = "uncategorized" };
    int rc = artel_run_start(artel, &options, &run);
    for (int i = 0; rc == 0 && i < 3; i++)
        rc = artel_run_log(run, "x", ARTEL_AUTO_STEP, i);
    if (rc == 0)
        rc = artel_artifact_new("bytes", NULL, &bytes);
    if (rc == 0)
        rc = artel_artifact_add_bytes(bytes, "data", "hello", 5);
    if (rc == 0)
        rc = artel_run_log_artifact(run, bytes, &future);
    if (rc != 0)
        return rc;
    rc = artel_future_wait_sink(future, "wandb", timeout_ms);
    artel_future_destroy(&future);
    artel_artifact_destroy(&bytes);
    return rc;
}

int
main(int argc, char **argv)
{
    int timeout_ms = argc > 1 ? atoi(argv[1]) : 60000;
    artel_t *artel;
    int opened = artel_open(NULL, &artel);
    if (opened != 0) {
        fprintf(stderr, "%s\n", artel_open_error());
        return 1;
    }
    int waited = s_log(artel, timeout_ms), closed = artel_close(&artel, timeout_ms);
    printf("%s %s\n", waited ? artel_error_name(waited) : "0", closed ? artel_error_name(closed) : "0");
    return 0;
}
