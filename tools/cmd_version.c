//  cmd_version.c - artel version.

#include "artel.h"
#include "command.h"

#include <stdio.h>

static int
s_run(const artel_args_t *args)
{
    printf(artel_args_has(args, "json") ? "{\"version\":\"%s\"}\n" : "artel %s\n", ARTEL_VERSION);
    return 0;
}

const artel_command_t artel_cmd_version = {
    .name = "version", .operands = "", .min = 0, .max = 0,
    .brief = "which artel this is",
    .about = "'artel doctor' also says which libraries it runs with.",
    .examples = "artel version",
    .run = s_run,
};
