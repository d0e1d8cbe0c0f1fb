//  log.c - a line with its time.

#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LOG = 1024 * 1024 };

static const char *const s_levels[] = { "error", "warning", "info", "debug" };
static arteld_level_t s_limit = ARTELD_INFO;
static const char *s_path;      //  of the file behind stderr; NULL: it is as it was given

int
arteld_log_level(const char *name)
{
    for (int i = ARTELD_ERROR; i <= ARTELD_DEBUG; i++)
        if (strcmp(s_levels[i], name) == 0)
            return i;
    return -1;
}

void
arteld_log_limit(arteld_level_t level)
{
    s_limit = level;
}

int
arteld_log_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = fd < 0 || dup2(fd, STDERR_FILENO) < 0 ? -1 : 0;
    if (fd >= 0)
        close(fd);
    if (rc == 0)
        s_path = path;
    return rc;
}

//  A service and its supervisor share the file: what one has renamed the other leaves.
static void
s_turn_over(void)
{
    struct stat ours, there;
    char old[4096];
    if (!s_path || fstat(STDERR_FILENO, &ours) != 0)
        return;
    bool same = stat(s_path, &there) == 0 && there.st_ino == ours.st_ino && there.st_dev == ours.st_dev;
    if (same && ours.st_size < MAX_LOG)
        return;
    snprintf(old, sizeof old, "%s.1", s_path);
    if (!same || rename(s_path, old) == 0)
        (void) arteld_log_open(s_path);
}

void
arteld_say(arteld_level_t level, const char *format, ...)
{
    if (level > s_limit)
        return;
    char text[1024], stamp[32];
    struct tm tm;
    time_t now = time(NULL);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s_turn_over();
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
    fprintf(stderr, "%s arteld: %s: %s\n", stamp, s_levels[level], text);
}
