//  figure_linked_64_programs DIR - rows of 5 scalars delivered a second into one store by 64
//  linked programs, 1,000 rows each in every second, and the longest wait of one for its
//  commit, in seconds.

#include "linked.h"

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    double longest, rows = bench_linked(argv[1], BENCH_PROGRAMS, &longest);
    printf("%.0f %.3f\n", rows, longest);
}
