//  state.c - a state directory for the targets whose decoder reads files.

#include "fuzz.h"

#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

static char s_state[PATH_MAX];
static pid_t s_owner;

static int
s_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void) st, (void) kind, (void) at;
    return remove(path);
}

//  A child that replay.c forks leaves the directory to its parent.
static void
s_remove(void)
{
    if (getpid() == s_owner)
        nftw(s_state, s_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
fuzz_state(void)
{
    if (s_owner)
        return s_state;
    const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(s_state, sizeof s_state, "%s/artel-fuzz-XXXXXX", tmp);
    REQUIRE(mkdtemp(s_state) && artel_state_make(s_state) == 0);
    s_owner = getpid();
    atexit(s_remove);
    return s_state;
}

void
fuzz_put_file(const char *path, const void *data, size_t size)
{
    char whole[2 * PATH_MAX];
    snprintf(whole, sizeof whole, "%s/%s", fuzz_state(), path);
    FILE *file = fopen(whole, "wb");
    REQUIRE(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}
