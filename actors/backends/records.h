//  records.h - the records of a batch, each put into the tables it belongs to.
//
//  Internal to backends/. Everything happens in the open transaction.

#ifndef ARTEL_RECORDS_H
#define ARTEL_RECORDS_H

#include "delivery.h"
#include "sql.h"

//  A key of the batch.
typedef struct {
    int64_t id;
    bool is_set;                //  a row of this batch has a value for it
    artel_cell_t last;          //  the last of them
} artel_slot_t;

//  A batch under way.
typedef struct {
    artel_catalogue_t *catalogue;
    const artel_msg_deliver_t *deliver;
    int64_t run, writer;        //  their ids in the tables
    int64_t world;              //  the ranks of the run; 0: it has none
    int64_t rank;               //  the writer's, -1: it has none
    uint64_t position;          //  of the writer before this batch
    int64_t rows;               //  of the run's history so far
    int64_t last_step;          //  the highest; of no meaning while there are no rows
    int64_t last_ms;            //  time of the writer's last record but its exit
    bool has_rows;              //  this batch brought some
    bool has_news;              //  of who runs: the run's state must be found anew
    artel_slot_t *slots;        //  by index of the key
    size_t n_slots;
    int64_t record;             //  index of the record in hand; -1: the batch as such
    const artel_verdicts_t *seen;
    artel_verdicts_t *verdicts;
} artel_scope_t;

//  Apply one record, or refuse it. 0 or a code of the catalogue.
int
artel_record_apply(artel_scope_t *scope, const artel_msg_t *record);

//  What the batch amounts to: the summary's values that follow the history, and the run's state.
int
artel_records_end(artel_scope_t *scope);

//  Put the record in hand on the list of the refused. name and xid may be NULL.
int
artel_record_refuse(artel_scope_t *scope, const char *name, const artel_id_t *xid, int64_t code,
                    const char *reason);

//  The records of artifacts (artifacts.c).
int
artel_artifact_commit(artel_scope_t *scope, const artel_msg_t *record);
int
artel_artifact_use(artel_scope_t *scope, const artel_msg_t *record);

#endif
