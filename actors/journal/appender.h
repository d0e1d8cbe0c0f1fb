//  appender.h - between birth.c, which makes or takes over a folder, and
//  journal.c, which appends to it.

#ifndef ARTEL_JOURNAL_APPENDER_H
#define ARTEL_JOURNAL_APPENDER_H

#include "journal.h"

typedef struct {
    int lock;                   //  descriptor that holds the append lock
    artel_id_t writer;
    char *folder;               //  malloc'ed
    char *head;                 //  malloc'ed, of every segment to come
    size_t head_len;
    uint32_t number;            //  of the first segment to make
    uint64_t counter;           //  last one that is there; all there is, is durable
    uint64_t sound;             //  from here (exclusive) to counter nothing is missing
    bool start;                 //  what is there was delivered, and will be removed
} artel_appender_t;

//  Open the first segment of this appender, durable with its name. What `with`
//  holds is the journal's, on failure still the caller's.
int
artel_journal_start(const artel_appender_t *with, artel_journal_t **ret);

//  The folder has another name now, malloc'ed.
void
artel_journal_moved(artel_journal_t *self, char *folder);

#endif
