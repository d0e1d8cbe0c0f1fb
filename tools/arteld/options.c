//  options.c - the command line of the service.

#include "options.h"

#include "artel.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char s_help[] =
    "Usage: arteld [OPTION]...\n"
    "Serve every program of this machine that logs into one state directory, until SIGTERM.\n"
    "\n"
    "      --state DIR      the state directory, made if missing; --dir and ARTEL_DIR mean the same\n"
    "                       (default: the nearest .artel/ at or above the working directory, else\n"
    "                       $XDG_DATA_HOME/artel)\n"
    "      --sink LIST      where to deliver: \"store\" (the default), or \"store,copy=store:/dir\"; also ARTEL_SINKS\n"
    "      --drain SECONDS  how long SIGTERM waits for what is under way (default 5)\n"
    "      --log FILE       keep what it says in FILE, and at 1 MiB in FILE.1, instead of on stderr\n"
    "      --no-restart     serve in this process; without it a second one starts the service again\n"
    "                       should it die\n"
    "      --help, --version\n"
    "\n"
    "Programs find it by themselves: artel_open connects to the service of its state directory if there is one.\n";

static int
s_take_seconds(const char *text, int *ret_ms)
{
    char *end;
    double seconds = strtod(text, &end);
    if (*end || end == text || !(seconds >= 0 && seconds <= 86400)) {
        fprintf(stderr, "arteld: --drain takes a number of seconds, not \"%s\"\n", text);
        return ARTELD_EXIT_USAGE;
    }
    *ret_ms = (int) (seconds * 1000);
    return -1;
}

int
arteld_options_parse(int argc, char **argv, arteld_options_t *ret)
{
    static const struct option table[] = {
        { "state", required_argument, NULL, 's' },   { "dir", required_argument, NULL, 's' },
        { "sink", required_argument, NULL, 'k' },    { "drain", required_argument, NULL, 'd' },
        { "log", required_argument, NULL, 'l' },
        { "no-restart", no_argument, NULL, 'n' },    { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' },       { 0 },
    };
    int option, rc = -1;
    *ret = (arteld_options_t) { .drain_ms = 5000 };
    while (rc < 0 && (option = getopt_long(argc, argv, "", table, NULL)) >= 0)
        switch (option) {
        case 's': ret->state = optarg; break;
        case 'k': ret->sinks = optarg; break;
        case 'd': rc = s_take_seconds(optarg, &ret->drain_ms); break;
        case 'l': ret->log = optarg; break;
        case 'n': ret->no_restart = true; break;
        case 'h': rc = fputs(s_help, stdout) < 0; break;
        case 'v': rc = puts("arteld " ARTEL_VERSION) < 0; break;
        default: rc = ARTELD_EXIT_USAGE;
        }
    if (rc < 0 && optind < argc) {
        fprintf(stderr, "arteld: \"%s\" is not an option; see arteld --help\n", argv[optind]);
        rc = ARTELD_EXIT_USAGE;
    }
    return rc;
}
