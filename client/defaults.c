//  defaults.c - the most common program: one client and one run.

#include "client.h"

#include <stdio.h>

enum { FINISH_MS = 60000 };

artel_run_t *
artel_start(const char *project)
{
    artel_t *client;
    if (artel_open(NULL, &client) != 0) {
        fprintf(stderr, "artel: %s; this run is not logged\n", artel_open_error());
        return NULL;
    }
    artel_run_options_t options = { .size = sizeof options, .project = project };
    artel_run_t *run;
    if (artel_run_start(client, &options, &run) != 0) {
        char text[512];
        artel_error(client, text, sizeof text);
        fprintf(stderr, "artel: %s; this run is not logged\n", text);
        artel_close(&client, 0);
        return NULL;
    }
    run->owns_client = true;
    return run;
}

int
artel_finish(artel_run_t *run)
{
    int rc = artel_run_enter(run);
    if (rc != 0)
        return rc;
    artel_t *client = run->client;
    if (!run->owns_client)
        return artel_fail(&client->notes, ARTEL_EINVAL, "artel_finish: run %s is not from artel_start; use "
                          "artel_run_finish", run->id);
    return artel_close(&client, FINISH_MS);
}
