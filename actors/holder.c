//  holder.c - looking for the processes that hold an OFD lock on a file.
//
//  Such a lock belongs to an open file and not to a process, so F_OFD_GETLK tells nobody's
//  pid. But the kernel lists the locks of each descriptor in /proc/<pid>/fdinfo.

#include "holder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH = 64, NAME = 32 };

//  Whether a line of the file at path begins with "lock:" and is of an OFD lock.
static bool
s_has_lock(const char *path)
{
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, "lock:", 5) == 0 && strstr(line, "OFDLCK");
    if (file)
        fclose(file);
    return found;
}

static bool
s_holds(const char *pid, const struct stat *of)
{
    char path[PATH + 2 * NAME];
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *dir = opendir(path);
    bool holds = false;
    for (struct dirent *entry; dir && !holds && (entry = readdir(dir)) != NULL; ) {
        struct stat st;
        if (fstatat(dirfd(dir), entry->d_name, &st, 0) != 0 || st.st_ino != of->st_ino
            || st.st_dev != of->st_dev)
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/fdinfo/%.20s", pid, entry->d_name);
        holds = s_has_lock(path);
    }
    if (dir)
        closedir(dir);
    return holds;
}

static void
s_read_name(const char *pid, char ret[NAME])
{
    char path[PATH];
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(ret, NAME, file))
        snprintf(ret, NAME, "a program");
    ret[strcspn(ret, "\n")] = 0;
    if (file)
        fclose(file);
}

const char *
artel_lock_holders(const char *path, char *ret, size_t size)
{
    struct stat st;
    size_t used = 0;
    *ret = 0;
    DIR *proc = stat(path, &st) == 0 ? opendir("/proc") : NULL;
    for (struct dirent *entry; proc && used < size && (entry = readdir(proc)) != NULL; ) {
        char name[NAME];
        if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) || !s_holds(entry->d_name, &st))
            continue;
        s_read_name(entry->d_name, name);
        used += (size_t) snprintf(ret + used, size - used, "%s%s (pid %s)", used ? ", " : "", name, entry->d_name);
    }
    if (proc)
        closedir(proc);
    return ret;
}

bool
artel_lock_is_held_by(const char *path, int pid)
{
    char text[NAME];
    struct stat st;
    snprintf(text, sizeof text, "%d", pid);
    return pid > 0 && stat(path, &st) == 0 && s_holds(text, &st);
}
