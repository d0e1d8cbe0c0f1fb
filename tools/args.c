//  args.c - finding the command, and parsing its options.

#include "args.h"

#include "command.h"
#include "nearest.h"
#include "term.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const artel_option_t artel_common_options[] = {
    { "dir", 0, "DIR", "state directory (ARTEL_DIR, a near .artel/, or the user's)" },
    { "project", 'p', "NAME", "project (ARTEL_PROJECT, or \"default\")" },
    { "sink", 0, "LIST", "sinks, the primary first: [NAME=]store[:DIR]|wandb[:URL],... (ARTEL_SINKS)" },
    { "json", 0, NULL, "one JSON object a row on stdout, and nothing else" },
    { "quiet", 'q', NULL, "say nothing but results and errors" },
    { "color", 0, "WHEN", "auto, always or never (NO_COLOR)" },
    { "help", 'h', NULL, "what the command does, with examples" },
    { 0 },
};

//  Which tokens of argv are the words of the command.
typedef struct {
    const artel_command_t *command;
    int first, second;              //  indexes in argv; 0: none
} words_t;

static const artel_option_t *
s_look_up(const artel_option_t *options, const char *name, size_t len, char letter)
{
    for (const artel_option_t *o = options; o && o->name; o++)
        if (name ? strncmp(o->name, name, len) == 0 && !o->name[len] : o->letter == letter)
            return o;
    return NULL;
}

static const artel_option_t *
s_find_option(const artel_command_t *command, const char *token)
{
    bool is_long = token[1] == '-';
    const char *name = is_long ? token + 2 : NULL;
    size_t len = is_long ? strcspn(name, "=") : 0;
    const artel_option_t *found = command
        ? s_look_up(command->options, name, len, token[1]) : NULL;
    return found ? found : s_look_up(artel_common_options, name, len, token[1]);
}

static bool
s_is_option(const char *token)
{
    return token[0] == '-' && token[1];
}

//  Whether the value of an option is in its own token.
static bool
s_holds_value(const char *token)
{
    return token[1] == '-' ? strchr(token, '=') != NULL : token[2] != 0;
}

//  The index of the next word at or behind i, past options every command knows; 0: none.
static int
s_next_word(int argc, char **argv, int i)
{
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (!s_is_option(argv[i]))
            return i;
        const artel_option_t *option = s_find_option(NULL, argv[i]);
        if (!option)
            return 0;
        i += option->value && !s_holds_value(argv[i]);
    }
    return 0;
}

//  The command of one word (second NULL) or two.
static const artel_command_t *
s_find_command(const char *first, const char *second)
{
    size_t len = strlen(first);
    for (const artel_group_t *g = artel_groups; g->title; g++)
        for (size_t i = 0; g->commands[i]; i++) {
            const char *name = g->commands[i]->name;
            if (strncmp(name, first, len) == 0
                && (second ? name[len] == ' ' && strcmp(name + len + 1, second) == 0 : !name[len]))
                return g->commands[i];
        }
    return NULL;
}

//  Offer each command to nearest, by its name and by its second word.
static void
s_offer_commands(artel_nearest_t *nearest)
{
    for (const artel_group_t *g = artel_groups; g->title; g++)
        for (size_t i = 0; g->commands[i]; i++) {
            const char *name = g->commands[i]->name, *space = strchr(name, ' ');
            artel_nearest_offer(nearest, name, name);
            if (space)
                artel_nearest_offer(nearest, space + 1, name);
        }
}

//  There is no command of this word, or (second not NULL) of these two.
static int
s_no_command(const char *first, const char *second)
{
    char word[128];
    snprintf(word, sizeof word, "%s%s%s", first, second ? " " : "", second ? second : "");
    artel_nearest_t nearest = { .word = word };
    s_offer_commands(&nearest);
    if (nearest.best)
        artel_complain("there is no command '%s'; did you mean 'artel %s'?", word, nearest.best);
    else
        artel_complain("there is no command '%s'; 'artel help' lists them", word);
    return ARTEL_EXIT_USAGE;
}

//  The words behind a first word that begins commands of two, "put, get, ls"; "" if it begins none.
static void
s_list_seconds(const char *first, char *ret, size_t size)
{
    size_t len = strlen(first), used = 0;
    ret[0] = 0;
    for (const artel_group_t *g = artel_groups; g->title; g++)
        for (size_t i = 0; g->commands[i]; i++) {
            const char *name = g->commands[i]->name;
            if (strncmp(name, first, len) == 0 && name[len] == ' ' && used < size)
                used += (size_t) snprintf(ret + used, size - used, "%s%s", used ? ", " : "",
                                          name + len + 1);
        }
}

//  A first word that needs a second.
static int
s_find_second(int argc, char **argv, words_t *words)
{
    const char *first = argv[words->first];
    char seconds[128];
    s_list_seconds(first, seconds, sizeof seconds);
    words->second = s_next_word(argc, argv, words->first + 1);
    const char *second = words->second ? argv[words->second] : NULL;
    if (*seconds && !second) {
        artel_complain("'artel %s' needs a second word: %s", first, seconds);
        return ARTEL_EXIT_USAGE;
    }
    words->command = *seconds ? s_find_command(first, second) : NULL;
    return words->command ? 0 : s_no_command(first, second);
}

static int
s_find_words(int argc, char **argv, words_t *ret)
{
    *ret = (words_t) { .first = s_next_word(argc, argv, 1) };
    if (!ret->first)
        return 0;
    ret->command = s_find_command(argv[ret->first], NULL);
    return ret->command ? 0 : s_find_second(argc, argv, ret);
}

static int
s_no_option(const artel_args_t *self, const char *token)
{
    const artel_command_t *command = self->command;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int) strcspn(token, "="), token);
    artel_nearest_t nearest = { .word = word + strspn(word, "-") };
    const artel_option_t *tables[] = { command ? command->options : NULL, artel_common_options };
    for (size_t i = 0; i < 2; i++)
        for (const artel_option_t *o = tables[i]; o && o->name; o++)
            artel_nearest_offer(&nearest, o->name, o->name);
    char hint[80];
    snprintf(hint, sizeof hint, nearest.best ? "; did you mean --%s?" : "; see artel%s%s --help",
             nearest.best ? nearest.best : command ? " " : "", command ? command->name : "");
    artel_complain("there is no option '%s'%s", word, hint);
    return ARTEL_EXIT_USAGE;
}

//  Take the option at argv[*i], and its value.
static int
s_take_option(artel_args_t *self, int argc, char **argv, int *i)
{
    const char *token = argv[*i];
    const artel_option_t *option = s_find_option(self->command, token);
    if (!option)
        return s_no_option(self, token);
    const char *text = NULL;
    if (s_holds_value(token)) {
        text = token[1] == '-' ? strchr(token, '=') + 1 : token + 2;
        if (!option->value) {
            artel_complain("'%s': --%s takes no value, and one-letter options stand alone",
                           token, option->name);
            return ARTEL_EXIT_USAGE;
        }
    } else if (option->value) {
        if (*i + 1 == argc) {
            artel_complain("--%s needs a value: --%s %s", option->name, option->name, option->value);
            return ARTEL_EXIT_USAGE;
        }
        text = argv[++*i];
    }
    self->given[self->n_given++] = (artel_given_t) { option, text };
    return 0;
}

static int
s_take_all(artel_args_t *self, int argc, char **argv, const words_t *words)
{
    bool ended = false;
    int rc = 0;
    for (int i = 1; rc == 0 && i < argc; i++) {
        if (i == words->first || i == words->second)
            continue;
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        else if (!ended && s_is_option(argv[i]))
            rc = s_take_option(self, argc, argv, &i);
        else
            self->operands[self->n++] = argv[i];
    }
    return rc;
}

static int
s_check_color(const artel_args_t *self)
{
    const char *when = artel_args_text(self, "color");
    if (!when || strcmp(when, "auto") == 0 || strcmp(when, "always") == 0
        || strcmp(when, "never") == 0)
        return 0;
    artel_complain("--color %s: must be auto, always or never", when);
    return ARTEL_EXIT_USAGE;
}

static void
s_too_many(const artel_command_t *command, const char *operand)
{
    if (command->stray)
        artel_complain("'%s' is one argument too many; did you mean %s %s?", operand, command->stray, operand);
    else
        artel_complain("'%s' is one argument too many; usage: artel %s%s%s", operand, command->name,
                       *command->operands ? " " : "", command->operands);
}

static int
s_check_count(const artel_args_t *self)
{
    const artel_command_t *command = self->command;
    if (!command || artel_args_has(self, "help"))
        return 0;
    if ((int) self->n < command->min)
        artel_complain("too few arguments; usage: artel %s %s", command->name, command->operands);
    else if (command->max >= 0 && (int) self->n > command->max)
        s_too_many(command, self->operands[command->max]);
    else
        return 0;
    return ARTEL_EXIT_USAGE;
}

int
artel_args_parse(int argc, char **argv, artel_args_t *ret)
{
    words_t words;
    *ret = (artel_args_t) { .operands = calloc((size_t) argc + 1, sizeof *ret->operands),
                            .given = calloc((size_t) argc + 1, sizeof *ret->given) };
    if (!ret->operands || !ret->given) {
        artel_complain("out of memory");
        return ARTEL_EXIT_FAILED;
    }
    int rc = s_find_words(argc, argv, &words);
    ret->command = words.command;
    if (rc == 0)
        rc = s_take_all(ret, argc, argv, &words);
    if (rc == 0)
        rc = s_check_color(ret);
    return rc == 0 ? s_check_count(ret) : rc;
}

void
artel_args_done(artel_args_t *self)
{
    free(self->operands);
    free(self->given);
    *self = (artel_args_t) { .n = 0 };
}

const char *
artel_args_nth(const artel_args_t *self, const char *name, size_t i)
{
    for (size_t k = 0; k < self->n_given; k++)
        if (strcmp(self->given[k].option->name, name) == 0 && i-- == 0)
            return self->given[k].text;
    return NULL;
}

static const artel_given_t *
s_last(const artel_args_t *self, const char *name)
{
    for (size_t k = self->n_given; k > 0; k--)
        if (strcmp(self->given[k - 1].option->name, name) == 0)
            return &self->given[k - 1];
    return NULL;
}

bool
artel_args_has(const artel_args_t *self, const char *name)
{
    return s_last(self, name) != NULL;
}

const char *
artel_args_text(const artel_args_t *self, const char *name)
{
    const artel_given_t *given = s_last(self, name);
    return given ? given->text : NULL;
}

int
artel_args_number(const artel_args_t *self, const char *name, uint32_t most, int64_t *ret)
{
    const char *text = artel_args_text(self, name);
    char *end = NULL;
    unsigned long long n = text ? strtoull(text, &end, 10) : 0;
    if (text && (!isdigit((unsigned char) *text) || *end || n > most)) {
        artel_complain("--%s %s: must be a whole number, 0 to %lu", name, text, (unsigned long) most);
        return ARTEL_EXIT_USAGE;
    }
    *ret = text ? (int64_t) n : -1;
    return 0;
}

int
artel_args_ms(const artel_args_t *self, const char *name, int ms, int *ret_ms)
{
    const char *text = artel_args_text(self, name);
    char *end = NULL;
    double seconds = text ? strtod(text, &end) : ms / 1000.0;
    if (text && (end == text || *end || !(seconds >= 0 && seconds <= 1e6))) {
        artel_complain("--%s %s: must be a number of seconds, 0 to 1000000", name, text);
        return ARTEL_EXIT_USAGE;
    }
    *ret_ms = (int) ceil(seconds * 1000);
    return 0;
}
