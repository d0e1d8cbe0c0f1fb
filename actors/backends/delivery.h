//  delivery.h - one delivered batch, applied to the catalogue.
//
//  Internal to backends/.

#ifndef ARTEL_DELIVERY_H
#define ARTEL_DELIVERY_H

#include "catalogue.h"

//  What became of one artifact_send.
typedef struct {
    artel_id_t xid;
    int64_t code;               //  0, or why it was refused for good
    int64_t version;            //  -1 if it was refused
    bool fresh;                 //  this send made the version
    char text[512];             //  why it was refused
} artel_verdict_t;

//  All zero is an empty list.
typedef struct {
    artel_verdict_t *at;
    size_t n, room;
} artel_verdicts_t;

//  ARTEL_ENOMEM.
int
artel_verdicts_add(artel_verdicts_t *self, const artel_verdict_t *verdict);
const artel_verdict_t *
artel_verdicts_find(const artel_verdicts_t *self, const artel_id_t *xid);
void
artel_verdicts_done(artel_verdicts_t *self);

//  Apply a batch in the open transaction, whole with its writer's position, and
//  add a verdict for each artifact_send in it. A batch at or below the position
//  has no effect but the verdicts. Records that can never be applied go to the
//  table `refused`, and so do artifacts that, as seen says, cannot be had. If not 0,
//  nothing of the batch is in the transaction (which may itself be over:
//  artel_catalogue_in_transaction). ARTEL_EAGAIN: batches are missing between the
//  position and what the sender says came before; ARTEL_EPENDING: a manifest must
//  be filed first; ARTEL_EPROTO: the writer is another run's; or the codes of
//  artel_catalogue_begin.
int
artel_delivery_apply(artel_catalogue_t *self, const artel_msg_deliver_t *deliver,
                     const artel_verdicts_t *seen, artel_verdicts_t *verdicts);

//  What became of an artifact_send: 1 and the verdict; 0: it was never here; or an
//  error of the database.
int
artel_delivery_recall(artel_catalogue_t *self, const artel_id_t *xid, artel_verdict_t *ret);

#endif
