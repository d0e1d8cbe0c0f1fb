//  journals.h - looking at the journals that are not delivered everywhere.
//
//  Nothing is locked or changed: their writers may be alive.

#ifndef ARTEL_JOURNALS_H
#define ARTEL_JOURNALS_H

#include "reader.h"
#include "sinks.h"

typedef struct {
    const char *name;               //  of the sink
    uint64_t delivered;             //  records it has
    uint64_t undelivered;           //  records it does not have
    int64_t oldest_ms;              //  when the oldest of those was logged; 0: not known
    uint64_t refused;               //  what it refused for good
    char error[512];                //  the last reason, or why it cannot be asked; ""
} artel_journal_at_t;

typedef struct {
    char run[64];
    artel_id_t writer;
    bool live;                      //  its program is running
    bool ended;                     //  its last record is an exit
    uint64_t records;               //  accepted ones
    artel_journal_report_t report;
    artel_sinks_t sinks;            //  the wanted ones
    artel_journal_at_t at[ARTEL_MAX_SINKS];
    char error[128];                //  why it cannot be read; ""
} artel_journal_look_t;

//  Call fn for each pending journal of the state directory. 0, or an exit code
//  after a sentence. What fn gets lives until it returns.
int
artel_journals_each(const char *state, void (*fn)(void *arg, const artel_journal_look_t *look),
                    void *arg);

//  Every sink some pending journal wants, and those of list (NULL: none), as a list the caller
//  frees: each name once, as it was first given. NULL after a sentence.
char *
artel_journals_wanted(const char *state, const char *list);

#endif
