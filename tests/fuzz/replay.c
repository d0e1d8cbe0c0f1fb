//  replay.c - runs a fuzz target over the files of a folder, without libFuzzer.
//
//  Usage: replay_NAME FOLDER. One process a file, so that a crash names it.

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

static void
s_run(const char *path)
{
    FILE *file = fopen(path, "rb");
    REQUIRE(file && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t) ftell(file);
    uint8_t *data = malloc(size + 1);           //  exactly as large as ASan should see it
    rewind(file);
    REQUIRE(data && fread(data, 1, size, file) == size);
    uint8_t *exact = realloc(data, size ? size : 1);
    LLVMFuzzerTestOneInput(exact ? exact : data, size);
    free(exact);
    fclose(file);
}

//  Whether the target took the file in a process of its own.
static int
s_replay(const char *path)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        s_run(path);
        exit(0);
    }
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int
main(int argc, char **argv)
{
    const char *name = program_invocation_short_name;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER\n", name);
        return 2;
    }
    unsigned done = 0, bad = 0;
    for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        char path[PATH_MAX];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        done++;
        if (!s_replay(path)) {
            bad++;
            printf("FAIL %s: it dies of %s\n", name, path);
        }
    }
    closedir(folder);
    if (done && !bad)
        printf("PASS %s takes %u inputs\n", name, done);
    return bad || !done;
}
