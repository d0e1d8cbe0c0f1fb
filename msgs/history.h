//  history.h - the quick way to pack a history record: the bytes of
//  artel_msg_pack, without a call for each value. Logging a number is this. And the quick way
//  to check one: nearly all that a service takes from others is history.

#ifndef ARTEL_HISTORY_H
#define ARTEL_HISTORY_H

#include "msgs.h"

//  Append a history record to out. ARTEL_ENOMEM: out is as it was.
int
artel_pack_history(const artel_msg_history_t *history, msgpack_sbuffer *out);

//  The bytes of the history record at data, if it is one as we pack them and names only keys
//  below n_keys; 0: that is not certain, and artel_msg_unpack has to say. Data is anyone's.
size_t
artel_check_history(const void *data, size_t len, size_t n_keys);

#endif
