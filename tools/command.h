//  command.h - what a command is: everything its help says, and what it does.
//
//  Each tools/cmd_*.c defines one artel_command_t; tools/commands.c lists them.

#ifndef ARTEL_COMMAND_H
#define ARTEL_COMMAND_H

#include "args.h"

//  Exit codes, the same for every command; 0 only when all that was asked for is done.
enum {
    ARTEL_EXIT_DONE = 0,
    ARTEL_EXIT_FAILED = 1,          //  it failed; verify: something is damaged
    ARTEL_EXIT_USAGE = 2,           //  the command line is wrong; nothing was done
    ARTEL_EXIT_PART = 3,            //  some of it was refused, the rest is done
    ARTEL_EXIT_NOT_FOUND = 4,       //  no such run, artifact or service, or no state directory to look into
    ARTEL_EXIT_PENDING = 5,         //  safe on this machine's disk, not delivered yet
    ARTEL_EXIT_SIGNAL = 128,        //  plus the number of the signal that stopped it
};

struct artel_command {
    const char *name;               //  "artifact put"
    const char *operands;           //  "NAME PATH...", or ""
    int min, max;                   //  how many operands; max -1: any number
    const char *stray;              //  the option that one operand too many was meant for, "-o", or NULL
    const char *brief;              //  one line, for the list of commands
    const char *about;              //  what it does, in paragraphs
    const artel_option_t *options;  //  its own, ending with a NULL name; NULL: none
    const char *examples;           //  lines
    int (*run)(const artel_args_t *args);   //  returns the exit code
};

//  The commands in groups, as help shows them; ends with a NULL title.
typedef struct {
    const char *title;
    const artel_command_t *commands[8];     //  ends with NULL
} artel_group_t;

extern const artel_group_t artel_groups[];

extern const artel_command_t artel_cmd_log, artel_cmd_put, artel_cmd_get, artel_cmd_ls,
    artel_cmd_rm, artel_cmd_verify, artel_cmd_runs, artel_cmd_show, artel_cmd_history,
    artel_cmd_status, artel_cmd_sync, artel_cmd_gc, artel_cmd_trace, artel_cmd_doctor,
    artel_cmd_daemon_run, artel_cmd_daemon_start, artel_cmd_daemon_stop, artel_cmd_daemon_status,
    artel_cmd_login, artel_cmd_version, artel_cmd_help;

#endif
