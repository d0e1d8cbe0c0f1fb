//  hello.c - the shortest program: one run with one metric.

#include <artel.h>

int
main(void)
{
    artel_run_t *run = artel_start("demo");
    for (int step = 0; step < 100; step++)
        artel_run_log(run, "loss", step, 1.0 / (step + 1));
    return artel_finish(run) != 0;
}
