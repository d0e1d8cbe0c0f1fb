//  history.h - the quick way to pack a history record: the bytes of
//  artel_msg_pack, without a call for each value. Logging a number is this.

#ifndef ARTEL_HISTORY_H
#define ARTEL_HISTORY_H

#include "msgs.h"

//  Append a history record to out. ARTEL_ENOMEM: out is as it was.
int
artel_pack_history(const artel_msg_history_t *history, msgpack_sbuffer *out);

#endif
