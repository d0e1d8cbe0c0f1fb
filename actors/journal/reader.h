//  reader.h - reading a journal, also while its writer lives.
//
//  A reader stops at the first frame that does not verify: in a live journal
//  that is the end so far, and reading may be tried again. In a dead one
//  (artel_journal_examine) it is one of three classes of damage. One thread.

#ifndef ARTEL_JOURNAL_READER_H
#define ARTEL_JOURNAL_READER_H

#include "id.h"

typedef struct artel_journal_reader artel_journal_reader_t;

//  ARTEL_ENOENT, ARTEL_EVERSION, ARTEL_ECORRUPT if not one frame verifies.
int
artel_journal_reader_open(const char *state, const char *run, artel_id_t writer,
                          artel_journal_reader_t **ret);
void
artel_journal_reader_close(artel_journal_reader_t **self_p);

//  The comma list of wanted sinks from the first frame, and of those it was given later (also.h); the reader's. Empty if no
//  copy of it verifies.
const char *
artel_journal_reader_sinks(const artel_journal_reader_t *self);

//  Read the next batch frame: 1 with *ret_data valid until the next call, 0 if
//  there is none (yet), or ARTEL_ECORRUPT (again until salvage is called),
//  ARTEL_EVERSION, ARTEL_EIO, ARTEL_ENOMEM. A counter may be above the last plus
//  one only after salvage: what lies between is lost.
int
artel_journal_reader_next(artel_journal_reader_t *self, uint64_t *ret_counter,
                          const void **ret_data, size_t *ret_len);

//  Skip every frame with a counter up to and with this one.
void
artel_journal_reader_seek(artel_journal_reader_t *self, uint64_t counter);

//  From here on, holes are skipped and valid frames behind them are returned,
//  instead of stopping. Safe also while the appender lives: only what is final is skipped.
void
artel_journal_reader_salvage(artel_journal_reader_t *self);

//  What an examination of all segments found.
typedef enum {
    ARTEL_JOURNAL_CLEAN,            //  ends in a valid frame
    ARTEL_JOURNAL_TORN_TAIL,        //  bytes of an unfinished append at the very end: no record is lost
    ARTEL_JOURNAL_UNSYNCED_HOLE,    //  a hole that was never known durable, valid frames behind it
    ARTEL_JOURNAL_CORRUPT,          //  a hole in what was once durable
} artel_journal_class_t;

typedef struct {
    artel_journal_class_t class;
    uint64_t last;                  //  counter of the last valid frame
    uint64_t frames;                //  valid batch frames
    uint64_t lost_from, lost_to;    //  first hole in the counters; 0, 0 if none
    uint64_t bytes;                 //  on disk
} artel_journal_report_t;

//  Read everything and say what is there. 0 also if it is damaged; ARTEL_ENOENT,
//  ARTEL_EVERSION, ARTEL_ECORRUPT if not one frame verifies, ARTEL_EIO, ARTEL_ENOMEM.
int
artel_journal_examine(const char *state, const char *run, artel_id_t writer,
                      artel_journal_report_t *ret);

//  Call fn for every range of counters that is missing. Codes as examine.
int
artel_journal_lost(const char *state, const char *run, artel_id_t writer,
                   void (*fn)(void *arg, uint64_t from, uint64_t to), void *arg);

#endif
