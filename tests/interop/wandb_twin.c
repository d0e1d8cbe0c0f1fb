//  wandb_twin.c - what sdk/log_flat.py logs through W&B's SDK, through artel.
//
//      wandb_twin [TIMEOUT-MS]
//
//  Prints the code of artel_close, and of waiting for the artifact in the sink wandb.

#include <artel.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define TRY(call) s_try((call), #call)
#define N_OF(array) (sizeof(array) / sizeof *(array))

static void
s_try(int rc, const char *what)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, artel_error_name(rc), artel_open_error());
    exit(1);
}

static void
s_write(const char *path, const char *data, size_t size)
{
    FILE *file = fopen(path, "w");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static int
s_log_set(artel_run_t *run, int timeout_ms)
{
    artel_artifact_t *set;
    artel_future_t *future;
    mkdir("in", 0755);
    mkdir("in/sub", 0755);
    s_write("in/a.txt", "hello", 5);
    s_write("in/sub/b.bin", "\0\1\2", 3);
    TRY(artel_artifact_new("set", "data", &set));
    TRY(artel_artifact_set_description(set, "a set"));
    TRY(artel_artifact_set_metadata(set, "{\"n\": 1}"));
    TRY(artel_artifact_add_alias(set, "raw"));
    TRY(artel_artifact_set_history_step(set, 6));
    TRY(artel_artifact_add_dir(set, "in", NULL));
    TRY(artel_run_log_artifact(run, set, &future));
    TRY(artel_future_wait(future, 60000));
    int rc = artel_future_wait_sink(future, "wandb", timeout_ms);
    artel_future_destroy(&future);
    artel_artifact_destroy(&set);
    return rc;
}

int
main(int argc, char **argv)
{
    int timeout_ms = argc > 1 ? atoi(argv[1]) : 60000;
    artel_t *artel;
    artel_run_t *run;
    artel_run_options_t options = { .size = sizeof options, .project = "digits", .id = "flat", .name = "flat run",
        .notes = "some notes", .group = "crowd", .job_type = "train", .tags = (const char *[]) { "x", "y", NULL } };
    const artel_value_t config[] = { { .key = "lr", .f64 = 0.1 }, { .key = "layers", .type = ARTEL_TYPE_INT, .i64 = 2 },
        { .key = "fast", .type = ARTEL_TYPE_BOOL, .boolean = 1 }, { .key = "name", .type = ARTEL_TYPE_STRING, .string = "ü" } };
    const artel_value_t first[] = { { .key = "loss", .f64 = 1 }, { .key = "train/acc", .type = ARTEL_TYPE_INT } };
    const artel_value_t second[] = { { .key = "loss", .f64 = 0.5 },
        { .key = "text", .type = ARTEL_TYPE_STRING, .string = "a \"b\"" },
        { .key = "big", .type = ARTEL_TYPE_INT, .i64 = 9007199254740993 } };
    const artel_value_t odd[] = { { .key = "up", .f64 = INFINITY }, { .key = "down", .f64 = -INFINITY },
        { .key = "bad", .f64 = NAN } };
    const artel_value_t later[] = { { .key = "later", .type = ARTEL_TYPE_BOOL, .boolean = 1 } };
    const artel_value_t best[] = { { .key = "best", .type = ARTEL_TYPE_INT, .i64 = 3 } };
    TRY(artel_open(NULL, &artel));
    TRY(artel_run_start(artel, &options, &run));
    TRY(artel_run_config(run, config, N_OF(config)));
    TRY(artel_run_log_row(run, ARTEL_AUTO_STEP, first, N_OF(first)));
    TRY(artel_run_log_row(run, ARTEL_AUTO_STEP, second, N_OF(second)));
    TRY(artel_run_log_row(run, 7, odd, N_OF(odd)));
    int waited = s_log_set(run, timeout_ms);
    TRY(artel_run_use_artifact(run, "set:raw", NULL));
    TRY(artel_run_summary(run, best, N_OF(best)));
    TRY(artel_run_config(run, later, N_OF(later)));
    TRY(artel_run_log(run, "loss", 9, 0.25));
    TRY(artel_run_finish(&run, 3));
    int closed = artel_close(&artel, timeout_ms);
    printf("%s %s\n", closed ? artel_error_name(closed) : "0", waited ? artel_error_name(waited) : "0");
    return 0;
}
