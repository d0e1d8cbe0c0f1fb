//  options.c - the command line of the service, and what it leaves open.

#include "options.h"

#include "artel.h"
#include "config.h"
#include "log.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { DRAIN_MS = 5000 };

static const char s_help[] =
    "Usage: arteld [OPTION]...\n"
    "Serve every program of this machine that logs into one state directory, until SIGTERM.\n"
    "\n"
    "      --state DIR      the state directory, made if missing; --dir and ARTEL_DIR mean the same\n"
    "                       (default: the nearest .artel/ at or above the working directory, else\n"
    "                       $XDG_DATA_HOME/artel)\n"
    "      --sink LIST      where to deliver: \"store\" (the default), or \"store,copy=store:/dir\"; also ARTEL_SINKS\n"
    "      --drain SECONDS  how long SIGTERM waits for what is under way (default 5)\n"
    "      --config FILE    its configuration, keys state, sinks, drain, log_level and trace (default:\n"
    "                       artel/arteld.ini in $XDG_CONFIG_HOME, ~/.config or $XDG_CONFIG_DIRS)\n"
    "      --log-level LEVEL  say nothing that matters less: " ARTELD_LOG_LEVELS " (default info)\n"
    "      --log FILE       keep what it says in FILE, and at 1 MiB in FILE.1, instead of on stderr\n"
    "      --no-restart     serve in this process; without it a second one starts the service again\n"
    "                       should it die\n"
    "      --help, --version\n"
    "\n"
    "Programs find it by themselves: artel_open connects to the service of its state directory if there is one.\n";

int
arteld_options_seconds(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    return *end || end == text || !(seconds >= 0 && seconds <= 86400) ? -1 : (int) (seconds * 1000);
}

static int
s_take_drain(arteld_options_t *options, const char *text)
{
    options->drain_ms = arteld_options_seconds(text);
    if (options->drain_ms >= 0)
        return -1;
    fprintf(stderr, "arteld: --drain takes a number of seconds, not \"%s\"\n", text);
    return ARTELD_EXIT_USAGE;
}

static int
s_take_level(arteld_options_t *options, const char *text)
{
    options->log_level = arteld_log_level(text);
    if (options->log_level >= 0)
        return -1;
    fprintf(stderr, "arteld: --log-level takes " ARTELD_LOG_LEVELS ", not \"%s\"\n", text);
    return ARTELD_EXIT_USAGE;
}

//  What the command line says, and -1 where it says no number.
static int
s_take_flags(int argc, char **argv, arteld_options_t *ret)
{
    static const struct option table[] = {
        { "state", required_argument, NULL, 's' },   { "dir", required_argument, NULL, 's' },
        { "sink", required_argument, NULL, 'k' },    { "drain", required_argument, NULL, 'd' },
        { "config", required_argument, NULL, 'c' },  { "log", required_argument, NULL, 'l' },
        { "log-level", required_argument, NULL, 'e' }, { "no-restart", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },          { "version", no_argument, NULL, 'v' },
        { 0 },
    };
    int option, rc = -1;
    while (rc < 0 && (option = getopt_long(argc, argv, "", table, NULL)) >= 0)
        switch (option) {
        case 's': ret->state = optarg; break;
        case 'k': ret->sinks = optarg; break;
        case 'd': rc = s_take_drain(ret, optarg); break;
        case 'c': ret->config = optarg; break;
        case 'l': ret->log = optarg; break;
        case 'e': rc = s_take_level(ret, optarg); break;
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

int
arteld_options_parse(int argc, char **argv, arteld_options_t *ret)
{
    *ret = (arteld_options_t) { .drain_ms = -1, .log_level = -1 };
    int rc = s_take_flags(argc, argv, ret);
    if (rc < 0)
        rc = arteld_config_read(ret);
    if (ret->drain_ms < 0)
        ret->drain_ms = DRAIN_MS;
    if (ret->log_level < 0)
        ret->log_level = ARTELD_INFO;
    return rc;
}
