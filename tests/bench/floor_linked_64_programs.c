//  floor_linked_64_programs DIR - rows of 5 scalars delivered a second into its store by one
//  linked program alone, which logs what the 64 do together.

#include "linked.h"

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    double longest, rows = bench_linked(argv[1], 1, &longest);
    printf("%.0f\n", rows);
}
