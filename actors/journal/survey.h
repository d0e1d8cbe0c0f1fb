//  survey.h - all valid frames of a journal, and what is missing between them.

#ifndef ARTEL_JOURNAL_SURVEY_H
#define ARTEL_JOURNAL_SURVEY_H

#include "frame.h"
#include "reader.h"

//  A range of counters that are not there, or, if to is below from, damaged
//  bytes in front of the frame `from` that cost no record.
typedef struct {
    uint64_t from, to;
    bool durable;               //  it was known to be on the disk once
} artel_hole_t;

typedef struct {
    uint64_t last;              //  counter of the last valid frame
    uint64_t frames;            //  valid batches
    uint64_t sound;             //  from here (exclusive) to last nothing is missing
    bool torn;                  //  bytes of an unfinished append
    bool ended;                 //  the last frame is a seal, or a head behind which all was removed
    artel_hole_t *holes;
    size_t n_holes;
    char *head;                 //  the head's payload (head.h), or NULL if none verifies
    size_t head_len;
} artel_survey_t;

//  Read all segments, or only from the latest on whose head verifies: then last,
//  sound and head are right, the rest is of that part. ARTEL_ENOENT if there is
//  no segment, ARTEL_ECORRUPT if not one frame verifies, ARTEL_EVERSION, ARTEL_EIO, ARTEL_ENOMEM.
int
artel_survey(const char *folder, artel_id_t writer, bool whole, artel_survey_t *ret);
void
artel_survey_done(artel_survey_t *self);

artel_journal_class_t
artel_survey_class(const artel_survey_t *self);

#endif
