//  args.h - a command line, parsed by the tables of its command.
//
//  Options stand anywhere, as --name VALUE, --name=VALUE, -o VALUE or -oVALUE;
//  "--" ends them. They are not abbreviated (getopt_long would), so that a new
//  option never changes what an old script means.

#ifndef ARTEL_ARGS_H
#define ARTEL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name;               //  "output": --output
    char letter;                    //  'o': -o; 0: none
    const char *value;              //  what it takes, "DIR"; NULL: a switch
    const char *help;               //  one line
} artel_option_t;

typedef struct artel_command artel_command_t;

//  One option as given.
typedef struct {
    const artel_option_t *option;
    const char *text;               //  its value; NULL for a switch
} artel_given_t;

typedef struct {
    const artel_command_t *command;
    const char **operands;
    size_t n;                       //  how many operands
    artel_given_t *given;
    size_t n_given;
} artel_args_t;

//  The options that every command takes; ends with a NULL name.
extern const artel_option_t artel_common_options[];

//  Find the command among the words of argv and parse the rest by its tables.
//  0, or an exit code after a sentence on stderr. Without any word
//  ret->command is NULL.
int
artel_args_parse(int argc, char **argv, artel_args_t *ret);
void
artel_args_done(artel_args_t *self);

//  Whether an option was given; its last value (NULL if it was not); its i-th value.
bool
artel_args_has(const artel_args_t *self, const char *name);
const char *
artel_args_text(const artel_args_t *self, const char *name);
const char *
artel_args_nth(const artel_args_t *self, const char *name, size_t i);

//  An option that is a whole number up to most; -1 if it was not given. 0, or
//  ARTEL_EXIT_USAGE after a sentence.
int
artel_args_number(const artel_args_t *self, const char *name, uint32_t most, int64_t *ret);

//  An option that is a number of seconds, in milliseconds; ms if it was not
//  given. 0, or ARTEL_EXIT_USAGE after a sentence.
int
artel_args_ms(const artel_args_t *self, const char *name, int ms, int *ret_ms);

#endif
