//  usage.c - what a folder takes on disk.

#include "usage.h"

#include "state.h"

#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>

uint64_t
artel_usage(const char *path)
{
    char *const paths[] = { (char *) path, NULL };
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    uint64_t bytes = 0;
    for (FTSENT *entry; tree && (entry = fts_read(tree)) != NULL; )
        if (entry->fts_info != FTS_DP && entry->fts_info != FTS_NS && entry->fts_info != FTS_DNR
            && entry->fts_info != FTS_ERR)
            bytes += (uint64_t) entry->fts_statp->st_blocks * 512;
    if (tree)
        fts_close(tree);
    return bytes;
}

uint64_t
artel_usage_in(const char *state, const char *name)
{
    char *path = artel_format("%s/%s", state, name);
    uint64_t bytes = path ? artel_usage(path) : 0;
    free(path);
    return bytes;
}
