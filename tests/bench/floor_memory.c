//  floor_memory DIR - MiB of private pages of a program that does nothing.

#include "bench.h"

#include <stdio.h>

int
main(void)
{
    printf("%.3f\n", bench_private_mib());
}
