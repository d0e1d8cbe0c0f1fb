//  check.h - how the programs of the fault suites tell that a call of artel failed.

#ifndef ARTEL_FAULT_CHECK_H
#define ARTEL_FAULT_CHECK_H

#include "artel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static artel_t *check_client;       //  NULL: not open

//  What artel said last, of the client or of its opening; static.
static inline const char *
check_why(void)
{
    static char text[512];
    if (!check_client)
        return artel_open_error();
    artel_error(check_client, text, sizeof text);
    return text;
}

//  Print "error CALL CODE: TEXT" if it failed; with one write, so that the line is whole or absent in the
//  driver's hands. Returns rc.
static inline int
check(const char *call, int rc)
{
    char line[1024];
    if (rc == 0)
        return 0;
    snprintf(line, sizeof line, "error %s %s: %s\n", call, artel_error_name(rc), check_why());
    fflush(stdout);
    if (write(STDOUT_FILENO, line, strlen(line)) != (ssize_t) strlen(line))
        _exit(3);
    return rc;
}

#endif
