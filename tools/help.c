//  help.c - artel help, and what --help prints.

#include "help.h"

#include "nearest.h"
#include "term.h"

#include <string.h>

static const char s_exit_codes[] =
    "  0  all that was asked for is done\n"
    "  1  it failed; of verify: something is damaged\n"
    "  2  the command line is wrong, and nothing was done\n"
    "  3  some of it was refused (named on stderr), the rest is done\n"
    "  4  there is no such run, artifact, file or service\n"
    "  5  it is safe on this machine's disk, but not delivered yet: artel sync delivers it\n"
    "  130, 143  stopped by SIGINT or SIGTERM; what was accepted is kept\n";

static void
s_heading(const artel_args_t *args, const char *text)
{
    bool colours = artel_term_colours(args, stdout);
    printf("%s%s%s\n", artel_term_ink(colours, ARTEL_INK_BOLD), text,
           artel_term_ink(colours, ARTEL_INK_NONE));
}

void
artel_help_overview(const artel_args_t *args)
{
    printf("artel logs runs, metrics and versioned artifacts, and loses none of them.\n\n");
    for (const artel_group_t *g = artel_groups; g->title; g++) {
        s_heading(args, g->title);
        for (size_t i = 0; g->commands[i]; i++)
            printf("  %-17s %s\n", g->commands[i]->name, g->commands[i]->brief);
        putchar('\n');
    }
    s_heading(args, "Examples");
    printf("  artel artifact put model weights.bin --alias best\n"
           "  echo '{\"loss\": 0.25}' | artel log\n\n"
           "'artel COMMAND --help' says more of each.\n");
}

static void
s_print_indented(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        printf("  %.*s\n", (int) len, text);
        text += len + (text[len] == '\n');
    }
}

static void
s_print_options(const artel_option_t *options)
{
    for (const artel_option_t *o = options; o && o->name; o++) {
        char letter[8] = "   ", left[48];
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c,", o->letter);
        snprintf(left, sizeof left, "%s --%s%s%s", letter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-24s %s\n", left, o->help);
    }
}

void
artel_help_command(const artel_args_t *args, const artel_command_t *command)
{
    printf("artel %s - %s\n\n", command->name, command->brief);
    s_heading(args, "Usage");
    printf("  artel %s%s%s [OPTION]...\n\n%s\n\n", command->name, *command->operands ? " " : "",
           command->operands, command->about);
    s_heading(args, "Options");
    s_print_options(command->options);
    s_print_options(artel_common_options);
    putchar('\n');
    s_heading(args, "Examples");
    s_print_indented(command->examples);
    putchar('\n');
    s_heading(args, "Exit codes");
    fputs(s_exit_codes, stdout);
}

static const artel_command_t *
s_find(const char *name, artel_nearest_t *nearest)
{
    for (const artel_group_t *g = artel_groups; g->title; g++)
        for (size_t i = 0; g->commands[i]; i++) {
            artel_nearest_offer(nearest, g->commands[i]->name, g->commands[i]->name);
            if (strcmp(g->commands[i]->name, name) == 0)
                return g->commands[i];
        }
    return NULL;
}

static int
s_run(const artel_args_t *args)
{
    char name[128] = "";
    for (size_t i = 0; i < args->n && strlen(name) + strlen(args->operands[i]) + 2 < sizeof name; i++)
        sprintf(name + strlen(name), "%s%s", i ? " " : "", args->operands[i]);
    if (args->n == 0) {
        artel_help_overview(args);
        return 0;
    }
    artel_nearest_t nearest = { .word = name };
    const artel_command_t *command = s_find(name, &nearest);
    if (command)
        artel_help_command(args, command);
    else if (nearest.best)
        artel_complain("there is no command '%s'; did you mean '%s'?", name, nearest.best);
    else
        artel_complain("there is no command '%s'; 'artel help' lists them", name);
    return command ? 0 : ARTEL_EXIT_USAGE;
}

const artel_command_t artel_cmd_help = {
    .name = "help", .operands = "[COMMAND]", .min = 0, .max = 2,
    .brief = "what a command does, with examples",
    .about = "Without COMMAND it lists them all. 'artel COMMAND --help' is the same.",
    .examples = "artel help\nartel help artifact put",
    .run = s_run,
};
