//  cmd_daemon_run.c - artel daemon run: this process becomes the service.

#include "command.h"
#include "daemon.h"
#include "json.h"
#include "term.h"

#include <errno.h>
#include <string.h>

static int
s_become(const artel_args_t *args, const artel_daemon_t *daemon)
{
    int rc = artel_args_has(args, "json")
        ? artel_daemon_print(json_pack("{s:o}", "dir", artel_json_text(daemon->dir))) : 0;
    if (rc != 0 || fflush(stdout) != 0)
        return ARTEL_EXIT_FAILED;
    artel_daemon_exec(args, daemon->dir, NULL);
    artel_complain("arteld cannot be run: %s", strerror(errno));
    return ARTEL_EXIT_FAILED;
}

static int
s_run(const artel_args_t *args)
{
    artel_daemon_t daemon;
    int rc = artel_daemon_find(args, &daemon);
    if (rc == 0)
        rc = s_become(args, &daemon);
    artel_daemon_done(&daemon);
    return rc;
}

const artel_command_t artel_cmd_daemon_run = {
    .name = "daemon run", .operands = "", .min = 0, .max = 0,
    .brief = "serve many programs, in the foreground",
    .about =
        "Becomes arteld, the service of the state directory: programs that open it from now on log\n"
        "through one process, which outlives them and delivers what they leave. It is for a terminal\n"
        "or a supervisor; 'artel daemon start' runs it in the background. It says what it has to say\n"
        "on stderr, and ends at SIGTERM or Ctrl-C when what is under way is done.",
    .examples = "artel daemon run\n"
                "artel daemon run --dir /srv/artel --sink store,copy=store:/mnt/copy",
    .run = s_run,
};
