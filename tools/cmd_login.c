//  cmd_login.c - artel login: keep the key for a server.

#include "command.h"
#include "errors.h"
#include "interrupt.h"
#include "json.h"
#include "netrc.h"
#include "secret.h"
#include "term.h"
#include "viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

//  What is told in the end.
static void
s_print(const artel_args_t *args, const artel_credentials_t *server, const artel_viewer_t *viewer, const char *path)
{
    if (artel_args_has(args, "json")) {
        json_t *told = json_pack("{s:s, s:o, s:o, s:o}", "server", server->base, "entity",
            artel_json_text(viewer->entity), "username", artel_json_text(viewer->username), "file", artel_json_text(path));
        artel_json_put(told, stdout);
        putchar('\n');
        json_decref(told);
    } else
        artel_say(args, "%s knows you as %s; the key is in %s", server->base,
                  *viewer->username ? viewer->username : viewer->entity, path);
}

//  Into the file where W&B's own tools look for it.
static int
s_keep(const artel_args_t *args, const artel_credentials_t *server, const char *key, const artel_viewer_t *viewer)
{
    char *path = NULL, *machine = artel_credentials_machine(server->base);
    int rc = machine ? artel_netrc_path(&path) : ARTEL_ENOMEM;
    if (rc == 0)
        rc = artel_netrc_write(path, machine, key);
    if (rc == 0)
        s_print(args, server, viewer, path);
    else
        artel_complain("the key was not kept in %s: %s", path ? path : "a netrc file", artel_error_code_text(rc));
    free(machine);
    free(path);
    return rc == 0 ? 0 : ARTEL_EXIT_FAILED;
}

//  With a key that may be one.
static int
s_try(const artel_args_t *args, const char *base, const char *key)
{
    artel_credentials_t server;
    artel_viewer_t viewer;
    char why[256];
    int rc = artel_credentials_make(base, key, &server, why, sizeof why);
    if (rc != 0) {
        artel_complain("%s", rc == ARTEL_EINVAL ? why : artel_error_code_text(rc));
        return ARTEL_EXIT_USAGE;
    }
    rc = artel_viewer_ask(&server, &viewer, why, sizeof why);
    if (rc != 0)
        artel_complain("%s: %s; no key was kept", server.base, why);
    rc = rc == 0 ? s_keep(args, &server, key, &viewer) : ARTEL_EXIT_FAILED;
    artel_credentials_done(&server);
    return rc;
}

//  With what is said in answer to the prompt.
static int
s_login(const artel_args_t *args, const char *base)
{
    char prompt[320], key[ARTEL_NETRC_WORD] = "";
    snprintf(prompt, sizeof prompt, "key for %.256s: ", base);
    bool read = artel_secret_read(prompt, key, sizeof key);
    int rc = ARTEL_EXIT_USAGE;
    if (artel_interrupted())
        rc = ARTEL_EXIT_SIGNAL + artel_interrupted();
    else if (read)
        rc = s_try(args, base, key);
    else
        artel_complain("no key came: it is one line of standard input");
    explicit_bzero(key, sizeof key);
    return rc;
}

static int
s_run(const artel_args_t *args)
{
    char *base, why[256];
    if (strcmp(args->operands[0], "wandb") != 0) {
        artel_complain("there is no login to '%s'; there is one to wandb", args->operands[0]);
        return ARTEL_EXIT_USAGE;
    }
    int rc = artel_credentials_base(artel_args_text(args, "url"), &base, why, sizeof why);
    if (rc != 0) {
        artel_complain("%s", rc == ARTEL_EINVAL ? why : artel_error_code_text(rc));
        return ARTEL_EXIT_USAGE;
    }
    rc = s_login(args, base);
    free(base);
    return rc;
}

static const artel_option_t s_options[] = {
    { "url", 'u', "URL", "the server ($WANDB_BASE_URL, or https://api.wandb.ai)" },
    { 0 },
};

const artel_command_t artel_cmd_login = {
    .name = "login", .operands = "wandb", .min = 1, .max = 1,
    .brief = "keep the key for a W&B server",
    .about =
        "Reads a key from the terminal, where it is not shown, or one line of standard input, asks the\n"
        "server whose it is, and puts it into the netrc file where W&B's own tools look for it too\n"
        "($NETRC, ~/.netrc or ~/_netrc). A key that the server does not know is not kept. In the\n"
        "environment WANDB_API_KEY comes before that file.",
    .options = s_options,
    .examples = "artel login wandb\n"
                "artel login wandb --url http://wandb.example:8080 <key.txt",
    .run = s_run,
};
