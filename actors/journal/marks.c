//  marks.c - names of the form <run>.<writer>.

#include "marks.h"

#include "bounds.h"
#include "errors.h"
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
artel_mark_path(const char *state, const char *folder, const char *run, artel_id_t writer, char **ret)
{
    char id[ARTEL_ID_TEXT];
    artel_hex(writer.at, sizeof writer.at, id);
    if (!artel_is_run_id(run, strlen(run)))
        return ARTEL_EINVAL;
    char *path = artel_format("%s/%s/%s.%s", state, folder, run, id);
    if (!path)
        return ARTEL_ENOMEM;
    *ret = path;
    return 0;
}

//  A name, cut in two.
static bool
s_parse(char *name, artel_id_t *ret_writer)
{
    char *dot = strchr(name, '.');
    if (!dot || strlen(dot + 1) != ARTEL_ID_TEXT - 1 || !artel_unhex(dot + 1, sizeof ret_writer->at, ret_writer->at))
        return false;
    *dot = 0;
    return artel_is_run_id(name, strlen(name));
}

int
artel_marks_each(const char *state, const char *folder,
                 bool (*wanted)(const char *state, const char *run, artel_id_t writer),
                 int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg)
{
    char *path = artel_format("%s/%s", state, folder);
    if (!path)
        return ARTEL_ENOMEM;
    DIR *dir = opendir(path);
    int rc = dir ? 0 : artel_error_of_errno(errno);
    free(path);
    while (rc == 0) {
        artel_id_t writer;
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry) {
            rc = errno ? ARTEL_EIO : 0;
            break;
        }
        if (s_parse(entry->d_name, &writer) && (!wanted || wanted(state, entry->d_name, writer)))
            rc = fn(arg, entry->d_name, writer);
    }
    if (dir)
        closedir(dir);
    return rc;
}
