//  gc.h - removing what nothing refers to.

#ifndef ARTEL_GC_H
#define ARTEL_GC_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool dry_run;               //  only count
    int64_t journal_age_ms;     //  finished journals not written for so long are retired; -1: none are
    int64_t wait_ms;            //  how long to wait for ingests under way
} artel_gc_options_t;

typedef struct {
    uint64_t loose, packs;      //  files of blobs
    uint64_t journals;          //  retired (retire.h)
    uint64_t leftovers;         //  files and folders of dead programs
    uint64_t bytes;             //  in all of them
    char text[256];             //  one sentence why it failed, or ""
} artel_gc_report_t;

//  Remove from a state directory the blobs that neither a version in its catalogue
//  nor an undelivered artifact needs, what dead programs left, and the batches of
//  journals that are finished and delivered everywhere. Waits for ingests under way, and they for it:
//  ARTEL_ELOCKED after wait_ms, and then nothing is removed.
//  May be killed at any point and run by many at once. ret says what was removed, also on
//  failure: ARTEL_EACCES (another machine's directory), ARTEL_EVERSION, ARTEL_ECORRUPT, ARTEL_EIO and so
//  on; no blob is removed unless all that refers to blobs could be read.
int
artel_gc(const char *state, const artel_gc_options_t *options, artel_gc_report_t *ret);

#endif
