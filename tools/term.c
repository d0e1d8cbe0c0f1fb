//  term.c - colours, widths and sentences.

#include "term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool
s_is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

void
artel_term_start(void)
{
    bool chosen = s_is_set("LC_ALL") || s_is_set("LC_CTYPE") || s_is_set("LANG");
    setlocale(LC_CTYPE, chosen ? "" : "C.UTF-8");
}

bool
artel_term_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool
artel_term_redraws(FILE *out)
{
    const char *term = getenv("TERM");
    return isatty(fileno(out)) && term && *term && strcmp(term, "dumb") != 0;
}

bool
artel_term_colours(const artel_args_t *args, FILE *out)
{
    const char *when = artel_args_text(args, "color");
    if (when && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    return !s_is_set("NO_COLOR") && artel_term_redraws(out);
}

const char *
artel_term_ink(bool colours, artel_ink_t ink)
{
    static const char *const escapes[] = {
        [ARTEL_INK_NONE] = "\x1b[0m", [ARTEL_INK_BOLD] = "\x1b[1m", [ARTEL_INK_DIM] = "\x1b[2m",
        [ARTEL_INK_RED] = "\x1b[31m", [ARTEL_INK_GREEN] = "\x1b[32m",
        [ARTEL_INK_YELLOW] = "\x1b[33m", [ARTEL_INK_BLUE] = "\x1b[34m",
        [ARTEL_INK_MAGENTA] = "\x1b[35m", [ARTEL_INK_CYAN] = "\x1b[36m",
    };
    return colours ? escapes[ink] : "";
}

artel_ink_t
artel_term_state_ink(const char *state)
{
    static const struct {
        const char *state;
        artel_ink_t ink;
    } inks[] = {
        { "finished", ARTEL_INK_GREEN }, { "committed", ARTEL_INK_GREEN },
        { "delivered", ARTEL_INK_GREEN }, { "ok", ARTEL_INK_GREEN },
        { "running", ARTEL_INK_CYAN }, { "live", ARTEL_INK_CYAN },
        { "queued", ARTEL_INK_YELLOW }, { "pending", ARTEL_INK_YELLOW },
        { "warning", ARTEL_INK_YELLOW }, { "dead", ARTEL_INK_YELLOW },
        { "failed", ARTEL_INK_RED }, { "crashed", ARTEL_INK_RED }, { "damaged", ARTEL_INK_RED },
        { "wrong", ARTEL_INK_RED },
    };
    for (size_t i = 0; i < sizeof inks / sizeof *inks; i++)
        if (strcmp(inks[i].state, state) == 0)
            return inks[i].ink;
    return ARTEL_INK_NONE;
}

int
artel_term_width(FILE *out)
{
    const char *columns = getenv("COLUMNS");
    int wide = columns ? atoi(columns) : 0;
    struct winsize size;
    if (wide <= 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        wide = size.ws_col;
    return wide <= 0 ? 80 : wide < 40 ? 40 : wide > 400 ? 400 : wide;
}

//  Whether a control character (C0, DEL, or C1 in UTF-8) begins at c.
static bool
s_steers(const unsigned char *c)
{
    return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
}

void
artel_term_put(const char *text, FILE *out)
{
    for (const unsigned char *c = (const unsigned char *) text; *c; c++)
        if (s_steers(c))
            fprintf(out, "\\x%02x", *c);
        else
            putc(*c, out);
}

static void
s_print(const char *format, va_list args)
{
    char *text;
    if (vasprintf(&text, format, args) < 0)
        return;
    flockfile(stderr);
    fputs("artel: ", stderr);
    artel_term_put(text, stderr);
    fputc('\n', stderr);
    funlockfile(stderr);
    free(text);
}

void
artel_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    s_print(format, args);
    va_end(args);
}

void
artel_say(const artel_args_t *self, const char *format, ...)
{
    if (artel_args_has(self, "quiet"))
        return;
    va_list args;
    va_start(args, format);
    s_print(format, args);
    va_end(args);
}
