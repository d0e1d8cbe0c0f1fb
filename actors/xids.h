//  xids.h - the handler's table of artifact_sends: what is known of each, and
//  the polls that wait for it.
//
//  It is a bounded cache of what is on disk: an answer of "unknown" makes the
//  client send again, and the sink knows the xid. One thread.

#ifndef ARTEL_XIDS_H
#define ARTEL_XIDS_H

#include "sinks.h"
#include "wire.h"

enum { ARTEL_MAX_XIDS = 65536 };        //  then the longest known that nobody polls is forgotten

typedef struct artel_xids artel_xids_t;

artel_xids_t *
artel_xids_new(const artel_sinks_t *sinks);
void
artel_xids_destroy(artel_xids_t **self_p);

//  An artifact_send has passed.
void
artel_xids_add(artel_xids_t *self, artel_id_t xid);

//  A sink is done with it. An xid that is not known is left alone.
void
artel_xids_done(artel_xids_t *self, const artel_msg_artifact_done_t *done);

//  What to answer a poll. The text points into the table. An unknown sink is
//  READY with ARTEL_ENOENT.
artel_msg_artifact_poll_response_t
artel_xids_poll(artel_xids_t *self, artel_id_t xid, artel_str_t sink);

//  Park a poll that is pending until `until` (ms, monotonic); false if it is not
//  pending, or this peer has ARTEL_MAX_PARKED already.
bool
artel_xids_park(artel_xids_t *self, const artel_peer_t *peer, artel_id_t xid, artel_str_t sink,
                int64_t until);

//  Answer what is parked: those of one xid that are ready now, or (expire) those
//  whose time has come, as pending. Returns the next time, or -1; what is not
//  due costs nothing.
typedef void artel_xids_answer_fn(void *arg, const artel_peer_t *peer,
                                  const artel_msg_artifact_poll_response_t *response);
void
artel_xids_release(artel_xids_t *self, artel_id_t xid, artel_xids_answer_fn *fn, void *arg);
int64_t
artel_xids_expire(artel_xids_t *self, int64_t now, artel_xids_answer_fn *fn, void *arg);

#endif
