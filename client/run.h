//  run.h - what is behind the handle of a run.

#ifndef ARTEL_RUN_H
#define ARTEL_RUN_H

#include "artel.h"
#include "outbox.h"
#include "targets.h"

//  How far a run's journal is opened.
typedef enum { ARTEL_RUN_NEW, ARTEL_RUN_OPENING, ARTEL_RUN_OPEN, ARTEL_RUN_FAILED } artel_run_state_t;

//  What the record `run` says, kept for artel_run_tags.
typedef struct {
    char *project, *name, *group, *job_type, *notes, *entity;
    bool hidden;
} artel_run_about_t;

struct artel_run {
    artel_outbox_t outbox;
    artel_t *client;
    char id[64];
    artel_id_t writer;
    artel_resumes_t resumes;
    uint32_t rank, world;       //  world 0: it is none of several ranks
    artel_run_about_t about;
    bool owns_client;           //  made by artel_start
    int presence;               //  says to a service that we live (presence.h), or -1
    int claim;                  //  holds the rank (rank.h), or -1

    bool finished;              //  (outbox's lock) the caller may not log any more

    artel_run_t *next;          //  the rest: the client's lock
    artel_run_state_t state;
    artel_targets_t *targets;   //  where its journal goes; NULL until it was open
    bool was_open;              //  once; then it is opened again after whatever failure may pass
    int open_code;              //  why it is FAILED
    bool abandoned;             //  artel_run_start gave up waiting
    uint64_t accepted, durable, delivered;  //  counters of batches
    uint64_t lost, told_lost;   //  batches of what is delivered; of them, told by a flush
    uint64_t lost_here;         //  of them, those the node at hand has told of
    size_t credit;              //  bytes the node lets us have on the way
    int dead;                   //  why its journal takes nothing more until it is opened anew, or 0
    char dead_why[400];         //  the same, with the file it was about
    uint64_t flush_wanted, flush_sent;      //  counters
    artel_to_t flush_level;
    unsigned refusals;          //  how often the journal refused a batch
    int refused;                //  the last reason
    int backoff_ms;
    int64_t retry_at;           //  no batch is sent before
    uint64_t seen;              //  the outbox's logged when it was last refused to send
    unsigned jobs;              //  artifacts being read; the exit waits for them
    bool ending;                //  the exit is written when jobs is 0
    bool exited;                //  it is
    int exit_code;
    bool close_sent;
    uint64_t told_dropped;      //  of the outbox's dropped
    char open_why[256];
};

//  0, ARTEL_EINVAL for NULL, ARTEL_EFORKED in a forked child. Touches no lock.
int
artel_run_enter(const artel_run_t *run);

//  Why the run's journal takes nothing more; "": it does. Takes the client's lock.
const char *
artel_run_dead_why(artel_run_t *run, char *ret, size_t size);

//  Queue a record, waiting for room as a log call does, and have it sent at once.
int
artel_run_put(artel_run_t *run, const artel_msg_t *record, uint64_t *ret_counter);

//  The rank that a run had, taken from it; fd -1: none. The lock is held once others know of the run.
typedef struct {
    char run[64];
    uint32_t rank;
    int fd;
} artel_claim_t;

artel_claim_t
artel_run_leave_rank(artel_run_t *run);

//  Give it back, which touches the disk: with no lock held.
void
artel_claim_end(const artel_t *client, const artel_claim_t *claim);

//  Write the exit once nothing of the run is being read. The lock is held.
void
artel_run_end(artel_run_t *run);

//  Once nobody else knows of it, and with no lock held.
void
artel_run_free(artel_run_t *run);

#endif
