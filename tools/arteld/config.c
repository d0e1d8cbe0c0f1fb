//  config.c - finding the file, and taking its keys.

#include "config.h"

#include "log.h"
#include "sinks.h"
#include "state.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_KEYS = 5 };

typedef struct {
    arteld_options_t *options;
    const char *path;
    FILE *file;
    int line;                   //  that was read last
    unsigned wrong;             //  sentences said
    bool given[N_KEYS];
} self_t;

//  A key: from its value the option, unless that is set. NULL, or what is wrong with the value.
typedef struct {
    const char *name;
    const char *(*take)(arteld_options_t *options, const char *value);
} config_key_t;

//  Values are kept for good.
static char *s_state, *s_sinks;

static bool
s_in_environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static const char *
s_take_state(arteld_options_t *options, const char *value)
{
    if (value[0] != '/')
        return "it must be an absolute path";
    if (options->state || s_in_environment("ARTEL_DIR"))
        return NULL;
    options->state = s_state = strdup(value);
    return s_state ? NULL : "out of memory";
}

static const char *
s_take_sinks(arteld_options_t *options, const char *value)
{
    static char why[256];
    artel_sinks_t sinks;
    if (artel_sinks_parse(value, &sinks, why, sizeof why) != 0)
        return why;
    artel_sinks_done(&sinks);
    if (options->sinks || s_in_environment("ARTEL_SINKS"))
        return NULL;
    options->sinks = s_sinks = strdup(value);
    return s_sinks ? NULL : "out of memory";
}

static const char *
s_take_drain(arteld_options_t *options, const char *value)
{
    int ms = arteld_options_seconds(value);
    if (ms >= 0 && options->drain_ms < 0)
        options->drain_ms = ms;
    return ms < 0 ? "it must be a number of seconds, 0 to 86400" : NULL;
}

static const char *
s_take_log_level(arteld_options_t *options, const char *value)
{
    int level = arteld_log_level(value);
    if (level >= 0 && options->log_level < 0)
        options->log_level = level;
    return level < 0 ? "it must be " ARTELD_LOG_LEVELS : NULL;
}

static const char *
s_take_trace(arteld_options_t *options, const char *value)
{
    (void) options;
    if (value[0] != '/')
        return "it must be an absolute path";
    if (!s_in_environment("ARTEL_TRACE") && setenv("ARTEL_TRACE", value, 1) != 0)
        return "out of memory";
    return NULL;
}

static const config_key_t s_keys[N_KEYS] = {
    { "state", s_take_state },         { "sinks", s_take_sinks }, { "drain", s_take_drain },
    { "log_level", s_take_log_level }, { "trace", s_take_trace },
};

static void
s_complain(self_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
s_complain(self_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "arteld: %s:%d: ", self->path, self->line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    self->wrong++;
}

static void
s_take(self_t *self, size_t i, const char *value)
{
    const char *fault = s_keys[i].take(self->options, value);
    if (self->given[i])
        s_complain(self, "%s: it is there twice", s_keys[i].name);
    else if (fault)
        s_complain(self, "%s = %s: %s", s_keys[i].name, value, fault);
    self->given[i] = true;
}

static int
s_on_pair(void *arg, const char *section, const char *name, const char *value)
{
    self_t *self = arg;
    size_t i = 0;
    while (i < N_KEYS && strcmp(s_keys[i].name, name) != 0)
        i++;
    if (*section && strcmp(section, "arteld") != 0)
        s_complain(self, "[%s]: there is no such section, only [arteld]", section);
    else if (i == N_KEYS)
        s_complain(self, "%s: there is no such key, only state, sinks, drain, log_level and trace", name);
    else
        s_take(self, i, value);
    return 1;
}

//  A line for inih, which says nothing of lines, and would take the rest of a long one for another.
static char *
s_read_line(char *ret, int size, void *arg)
{
    self_t *self = arg;
    if (self->wrong || !fgets(ret, size, self->file))
        return NULL;
    self->line++;
    if (strchr(ret, '\n') || feof(self->file))
        return ret;
    s_complain(self, "the line is too long");
    return NULL;
}

static int
s_parse(self_t *self)
{
    self->file = fopen(self->path, "re");
    if (!self->file) {
        fprintf(stderr, "arteld: %s: %s\n", self->path, strerror(errno));
        return ARTELD_EXIT_USAGE;
    }
    int line = ini_parse_stream(s_read_line, self, s_on_pair, self);
    if (ferror(self->file))
        s_complain(self, "it cannot be read");
    else if (line != 0 && !self->wrong)
        s_complain(&(self_t) { .path = self->path, .line = line }, "must be \"key = value\" or [arteld]");
    fclose(self->file);
    return line != 0 || self->wrong ? ARTELD_EXIT_USAGE : -1;
}

//  folder/artel/arteld.ini if something is there, which the caller frees; else NULL.
static char *
s_in(const char *folder, size_t len, const char *below)
{
    char *path = len && folder[0] == '/' ? artel_format("%.*s%s/artel/arteld.ini", (int) len, folder, below) : NULL;
    if (path && access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static char *
s_find_ours(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && config[0] == '/')
        return s_in(config, strlen(config), "");
    return home ? s_in(home, strlen(home), "/.config") : NULL;
}

static char *
s_find(void)
{
    char *path = s_find_ours();
    const char *dirs = s_in_environment("XDG_CONFIG_DIRS") ? getenv("XDG_CONFIG_DIRS") : "/etc/xdg";
    while (!path && *dirs) {
        size_t len = strcspn(dirs, ":");
        path = s_in(dirs, len, "");
        dirs += len + (dirs[len] == ':');
    }
    return path;
}

int
arteld_config_read(arteld_options_t *options)
{
    char *found = options->config ? NULL : s_find();
    self_t self = { .options = options, .path = options->config ? options->config : found };
    int rc = self.path ? s_parse(&self) : -1;
    free(found);
    return rc;
}
