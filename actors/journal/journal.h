//  journal.h - the log of one writer of one run, as its one appender sees it.
//
//  A journal is the folder runs/<run>/<writer>/ of a state directory (the
//  format to the byte: docs/store.md). Frames are batches; the batch's counter
//  is the frame's sequence. Not thread-safe, except where said: append from
//  one thread, sync from another.

#ifndef ARTEL_JOURNAL_H
#define ARTEL_JOURNAL_H

#include "msgs.h"

typedef struct artel_journal artel_journal_t;

//  What the first frame of a journal says of it, written at birth.
typedef struct {
    const char *run;            //  run id, [A-Za-z0-9_-]{1,63}
    artel_id_t writer;
    const char *sinks;          //  the wanted sinks as given, comma list without secrets
    artel_resumes_t resumes;    //  what to do if the run is there already
    uint64_t world;             //  the ranks of the run, if this is one of them; else 0
    uint64_t rank;              //  which one
} artel_journal_birth_t;

//  Make the journal and hold its append lock; visible only when complete
//  (temporary name, locked, synced, renamed in), with its pending/ mark. The
//  folder of a new run appears together with its first journal, so it is never
//  empty. state is the state directory. Blocks for an fdatasync. ARTEL_EEXIST if
//  this writer's journal is there, or the run is and resumes is NEVER;
//  ARTEL_ENOENT if it is MUST and the run is not; ARTEL_EINVAL if the run has
//  another number of ranks (world.h); ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EACCES.
int
artel_journal_create(const char *state, const artel_journal_birth_t *birth,
                     artel_journal_t **ret);

//  Take over an existing journal: lock it, find its last valid frame, and go
//  on in a new segment. ARTEL_ELOCKED if its appender lives, ARTEL_ENOENT,
//  ARTEL_ECORRUPT, ARTEL_EVERSION. Blocks.
int
artel_journal_adopt(const char *state, const char *run, artel_id_t writer,
                    artel_journal_t **ret);

//  Release lock and descriptors; a clean end is cut to its size and synced.
void
artel_journal_close(artel_journal_t **self_p);

//  One frame to append.
typedef struct {
    uint64_t counter;           //  must be the last accepted plus one
    const void *data;
    size_t len;                 //  at most ARTEL_MAX_MESSAGE
} artel_journal_frame_t;

//  Append n frames with one pwritev: all of them are accepted, or none. May
//  open the next segment. ARTEL_ENOSPC, ARTEL_EIO; ARTEL_EINVAL if a counter is
//  not the next. Returns without waiting for the disk.
int
artel_journal_append(artel_journal_t *self, const artel_journal_frame_t *frames, size_t n);

//  fdatasync what was appended before the call, with every segment and folder
//  entry that needs it; then *ret_counter is durable. May run on another
//  thread than append. After one ARTEL_EIO it fails for ever (the result of a
//  second fdatasync means nothing).
int
artel_journal_sync(artel_journal_t *self, uint64_t *ret_counter);

//  All of it is durable, no sync is under way, and nothing is expected soon: give back
//  the room reserved on the disk and the descriptor; the lock stays. The next append takes both
//  again, or fails as the opening of a segment does. From the appender's thread.
void
artel_journal_rest(artel_journal_t *self);

//  Why nothing more will be accepted or durable, and the path of what failed: a sync, or
//  a write that could not be taken back. 0 (and no path): nothing has. Any thread.
int
artel_journal_failed(const artel_journal_t *self, char *ret_path, size_t size);

uint64_t
artel_journal_accepted(const artel_journal_t *self);    //  any thread
uint64_t
artel_journal_durable(const artel_journal_t *self);     //  any thread
uint64_t
artel_journal_dirty_bytes(const artel_journal_t *self); //  any thread

#endif
