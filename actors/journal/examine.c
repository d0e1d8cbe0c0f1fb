//  examine.c - what is wrong with a journal, if anything.

#include "reader.h"

#include "fds.h"
#include "layout.h"
#include "survey.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

//  Bytes of all segments, as far as they can be asked.
static uint64_t
s_bytes(const char *folder)
{
    uint64_t bytes = 0;
    uint32_t number = 0;
    while (artel_segment_after(folder, number, &number) > 0) {
        struct stat st;
        int fd = artel_segment_fd(folder, number, O_RDONLY);
        if (fd >= 0 && fstat(fd, &st) == 0)
            bytes += (uint64_t) st.st_size;
        artel_fd_close(fd);
    }
    return bytes;
}

static const artel_hole_t *
s_first_lost(const artel_survey_t *survey)
{
    for (size_t i = 0; i < survey->n_holes; i++)
        if (survey->holes[i].to >= survey->holes[i].from)
            return &survey->holes[i];
    return NULL;
}

int
artel_journal_examine(const char *state, const char *run, artel_id_t writer,
                      artel_journal_report_t *ret)
{
    char *folder;
    artel_survey_t survey;
    int rc = artel_journal_folder(state, run, writer, &folder);
    if (rc != 0)
        return rc;
    rc = artel_survey(folder, writer, true, &survey);
    if (rc == 0) {
        const artel_hole_t *lost = s_first_lost(&survey);
        *ret = (artel_journal_report_t) { .class = artel_survey_class(&survey),
            .last = survey.last, .frames = survey.frames, .bytes = s_bytes(folder),
            .lost_from = lost ? lost->from : 0, .lost_to = lost ? lost->to : 0 };
        artel_survey_done(&survey);
    }
    free(folder);
    return rc;
}

int
artel_journal_lost(const char *state, const char *run, artel_id_t writer,
                   void (*fn)(void *arg, uint64_t from, uint64_t to), void *arg)
{
    char *folder;
    artel_survey_t survey;
    int rc = artel_journal_folder(state, run, writer, &folder);
    if (rc != 0)
        return rc;
    rc = artel_survey(folder, writer, true, &survey);
    for (size_t i = 0; rc == 0 && i < survey.n_holes; i++)
        if (survey.holes[i].to >= survey.holes[i].from)
            fn(arg, survey.holes[i].from, survey.holes[i].to);
    if (rc == 0)
        artel_survey_done(&survey);
    free(folder);
    return rc;
}
