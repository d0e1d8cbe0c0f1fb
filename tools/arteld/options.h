//  options.h - what the service is told.

#ifndef ARTELD_OPTIONS_H
#define ARTELD_OPTIONS_H

#include <stdbool.h>

//  Exit codes.
enum { ARTELD_EXIT_FAILED = 1, ARTELD_EXIT_USAGE = 2 };

typedef struct {
    const char *state;          //  NULL: where `artel` would look
    const char *sinks;          //  NULL: ARTEL_SINKS, or store
    const char *config;         //  the file of its configuration; NULL: where arteld_config_read looks
    int log_level;              //  an arteld_level_t
    int drain_ms;               //  how long SIGTERM waits for what is under way
    const char *log;            //  a file for stderr; NULL: it stays
    bool no_restart;            //  serve in this very process
} arteld_options_t;

//  A text as milliseconds: seconds, 0 to 86400; or -1.
int
arteld_options_seconds(const char *text);

//  What is told by flags, environment, configuration and default, in that order.
//  -1 and the options, or an exit code: of --help and --version 0, else after a sentence on stderr.
int
arteld_options_parse(int argc, char **argv, arteld_options_t *ret);

#endif
