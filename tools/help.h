//  help.h - what artel prints about itself.

#ifndef ARTEL_HELP_H
#define ARTEL_HELP_H

#include "command.h"

//  The commands in their groups and two examples.
void
artel_help_overview(const artel_args_t *args);

//  Everything about one command.
void
artel_help_command(const artel_args_t *args, const artel_command_t *command);

#endif
