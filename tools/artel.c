//  artel.c - the command line: how a command is run.

#include "command.h"
#include "help.h"
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
s_run(const artel_args_t *args)
{
    if (!args->command)
        artel_help_overview(args);
    else if (artel_args_has(args, "help"))
        artel_help_command(args, args->command);
    else
        return args->command->run(args);
    return 0;
}

//  Whether stdout is a pipe that nobody reads any more.
static bool
s_reader_is_gone(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO };
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

//  What was printed must have arrived: a full disk behind stdout is a failure. A
//  reader that had enough is one as well, but knows why.
static int
s_finish(int rc)
{
    bool broken = ferror(stdout) != 0;
    errno = 0;
    if (fflush(stdout) == 0 && !broken)
        return rc;
    if (!s_reader_is_gone())
        artel_complain("not all results could be written%s%s", errno ? ": " : "",
                       errno ? strerror(errno) : "");
    return rc ? rc : ARTEL_EXIT_FAILED;
}

//  A standard descriptor that is closed would be given to the next file: /dev/null takes its place.
static void
s_hold_standard_fds(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int
main(int argc, char **argv)
{
    s_hold_standard_fds();
    artel_term_start();
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        argv[1] = "version";
    artel_args_t args;
    int rc = artel_args_parse(argc, argv, &args);
    if (rc == 0)
        rc = s_run(&args);
    artel_args_done(&args);
    return s_finish(rc);
}
