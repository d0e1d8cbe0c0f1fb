//  secret.c - a secret from a person or a pipe.

#include "secret.h"

#include "interrupt.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const char s_blank[] = " \t\r\n";

//  One line from fd. A signal ends it.
static bool
s_read_line(int fd, char *ret, size_t size)
{
    size_t n = 0;
    char c = 0;
    for (;;) {
        artel_interrupt_wait(fd);
        if (artel_interrupted() || read(fd, &c, 1) <= 0 || c == '\n')
            break;
        if (n + 1 >= size)
            return false;
        ret[n++] = c;
    }
    ret[n] = 0;
    return !artel_interrupted() && (n > 0 || c == '\n');
}

static void
s_trim(char *text)
{
    size_t skip = strspn(text, s_blank), len = strlen(text + skip);
    memmove(text, text + skip, len + 1);
    while (len > 0 && strchr(s_blank, text[len - 1]))
        text[--len] = 0;
}

bool
artel_secret_read(const char *prompt, char *ret, size_t size)
{
    struct termios shown, hidden;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
    artel_interrupt_start();
    if (terminal) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t) ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        fputs(prompt, stderr);
        fflush(stderr);
    }
    bool read = s_read_line(STDIN_FILENO, ret, size);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputs("\n", stderr);
    }
    s_trim(ret);
    return read;
}
