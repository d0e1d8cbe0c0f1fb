//  transfer.h - the actor that speaks HTTP for the backends: one libcurl multi handle on a thread.

#ifndef ARTEL_TRANSFER_H
#define ARTEL_TRANSFER_H

#include "actor.h"
#include "bounds.h"
#include "http.h"

enum { ARTEL_TRANSFER_FDS = 72 };       //  descriptors: 32 connections, 8 of its own, and those it leaves to others

typedef struct {
    artel_start_t start;
    zsock_t *askers[ARTEL_MAX_SINKS];   //  PAIR, one a backend; the transfer actor owns them now
    size_t n;
    int base_ms;                //  the first wait before another attempt; 0: 2000
    int stall_s;                //  so long without a byte ends an attempt without a deadline; 0: 30
} artel_transfer_args_t;

//  From each asker come artel_http_t *, one a message (artel_wire_put, told as handover.h says), and go
//  back to it when they are over, in whatever order that is. 32 are under way at a time, of all askers in
//  turns. At $TERM all that are left are canceled, and go back before it ends. Its start fails with
//  ARTEL_ENOLIB if libcurl cannot be loaded, ARTEL_EMFILE if there are not ARTEL_TRANSFER_FDS descriptors.
void
artel_transfer(zsock_t *pipe, void *args);

#endif
