//  syncer.h - the thread that waits for the disk, so that the writer never does.
//
//  The writer sends it jobs over an inproc PAIR, one struct a frame (both ends
//  are this process), and gets each back with its result, urgent ones first.
//  While a journal is in a job other than SYNC, the writer does not touch it.

#ifndef ARTEL_SYNCER_H
#define ARTEL_SYNCER_H

#include "actor.h"
#include "bounds.h"
#include "journal.h"

typedef enum {
    ARTEL_SYNC_OPEN,            //  create the journal of run and writer, or go on with it if it is there
    ARTEL_SYNC_SYNC,            //  make what was accepted durable
    ARTEL_SYNC_CLOSE,           //  close the journal
} artel_sync_op_t;

typedef struct {
    artel_sync_op_t op;
    bool urgent;                //  somebody waits for it
    char run[ARTEL_MAX_RUN_ID + 1];
    artel_id_t writer;
    artel_resumes_t resumes;    //  (OPEN)
    uint64_t world;             //  (OPEN) the ranks of the run, or 0; if refused, what the run has
    uint64_t rank;              //  (OPEN) which of them this is
    artel_journal_t *journal;
    uint64_t counter;           //  what is durable now (OPEN, SYNC); if lost, what was before that
    int64_t next_step;          //  where the run's steps went on before it (OPEN)
    int rc;
} artel_sync_job_t;

typedef struct {
    artel_start_t start;
    const char *state;          //  both outlive the actor
    const char *sinks;          //  wanted sinks of new journals
    zsock_t *writer;            //  PAIR; the syncer owns it now
} artel_syncer_args_t;

//  What was asked before it is told to stop is done before it ends.
void
artel_syncer(zsock_t *pipe, void *args);

#endif
