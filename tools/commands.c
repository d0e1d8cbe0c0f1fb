//  commands.c - the table of commands, in their groups.

#include "command.h"

const artel_group_t artel_groups[] = {
    { "Log", { &artel_cmd_log, &artel_cmd_put } },
    { "Look", { &artel_cmd_runs, &artel_cmd_show, &artel_cmd_history, &artel_cmd_ls } },
    { "Fetch and keep", { &artel_cmd_get, &artel_cmd_verify, &artel_cmd_rm, &artel_cmd_gc } },
    { "Deliver", { &artel_cmd_status, &artel_cmd_sync, &artel_cmd_login } },
    { "Serve", { &artel_cmd_daemon_run, &artel_cmd_daemon_start, &artel_cmd_daemon_stop,
                 &artel_cmd_daemon_status } },
    { "Understand", { &artel_cmd_trace, &artel_cmd_doctor, &artel_cmd_version, &artel_cmd_help } },
    { 0 },
};
