//  synced.c - keeps the last synced state of each file and folder (power.py reads it).
//
//  Calls that step.c takes the place of are made directly here, so that they do
//  not count.

#include "synced.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *s_folder = "";
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;  //  an older state must not follow a newer one

void
step_synced_init(const char *folder)
{
    s_folder = folder;
}

//  The descriptor may be for writing only, so path opens the same file again.
static void
s_copy_bytes(const char *path, FILE *out)
{
    char buffer[32 * 1024];
    ssize_t n;
    int fd = (int) syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    for (off_t at = 0; (n = syscall(SYS_pread64, fd, buffer, sizeof buffer, at)) > 0; at += n)
        fwrite(buffer, 1, (size_t) n, out);
    syscall(SYS_close, fd);
}

static void
s_list_names(const char *path, FILE *out)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL; )
        fprintf(out, "%lu %c %s\n", (unsigned long) entry->d_ino, entry->d_type == DT_DIR ? 'd' : 'f',
                entry->d_name);
    if (dir)
        closedir(dir);
}

//  Whole or not at all: the program may be killed meanwhile.
void
step_synced(int fd)
{
    struct stat st;
    char again[64], path[PATH_MAX], temporary[PATH_MAX];
    if (!*s_folder || fstat(fd, &st) != 0)
        return;
    bool is_folder = S_ISDIR(st.st_mode);
    pthread_mutex_lock(&s_lock);
    snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
    snprintf(temporary, sizeof temporary, "%s/%ld.new", s_folder, (long) getpid());
    snprintf(path, sizeof path, "%s/%lu%s", s_folder, (unsigned long) st.st_ino, is_folder ? ".names" : "");
    FILE *out = fopen(temporary, "w");
    if (out) {
        (is_folder ? s_list_names : s_copy_bytes)(again, out);
        fclose(out);
        syscall(SYS_renameat2, AT_FDCWD, temporary, AT_FDCWD, path, 0);
    }
    pthread_mutex_unlock(&s_lock);
}
