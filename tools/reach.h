//  reach.h - getting at what was logged: the state directory, a client, the store.
//
//  Commands that write go through the client. Those that only look read the
//  catalogue of the primary sink's store directly, and make nothing.

#ifndef ARTEL_REACH_H
#define ARTEL_REACH_H

#include "artel.h"
#include "args.h"
#include "catalogue.h"

#include <stdatomic.h>

//  The state directory, as an absolute path the caller frees. Exit code.
int
artel_reach_state(const artel_args_t *args, char **ret);

//  A client with a node over the state directory.
typedef struct {
    artel_t *client;
    atomic_bool deaf;               //  the command itself says what is to be said
} artel_session_t;

//  Open one, which stays where it is. sinks NULL: those of --sink. Exit code.
int
artel_session_open(const artel_args_t *args, const char *sinks, artel_session_t *ret);

//  The same with a node of our own, also where there is a service.
int
artel_session_link(const artel_args_t *args, const char *sinks, artel_session_t *ret);

//  Close it, after at most timeout_ms; what is not as it should be then is
//  complained of, unless silently. Returns the client's code, not an exit code.
int
artel_session_close(artel_session_t *self, int timeout_ms, bool silently);

//  The last error of the client, or what code means.
void
artel_session_why(const artel_session_t *self, int code, char *ret, size_t size);

//  The primary sink's store.
typedef struct {
    char *state;                    //  the state directory
    char *place;                    //  the directory of the store, often the same
    char sink[64];                  //  the sink's name
    artel_catalogue_t *catalogue;   //  NULL: nothing was delivered there yet
    sqlite3 *db;                    //  its connection, or NULL
} artel_place_t;

//  Only find where it is, or open it as well, which fails with ARTEL_EXIT_NOT_FOUND if there
//  is no state directory. Exit code, not 0 after a sentence. Close it in any case.
int
artel_reach_place(const artel_args_t *args, artel_place_t *ret);
int
artel_reach_store(const artel_args_t *args, bool writable, artel_place_t *ret);
void
artel_reach_done(artel_place_t *self);

//  Whether the state directory is there: 0, or ARTEL_EXIT_NOT_FOUND after a sentence.
int
artel_reach_check(const char *state);

//  Open the store to read, have fn do so, and close it.
int
artel_reach_read(const artel_args_t *args, int (*fn)(const artel_args_t *args, const artel_place_t *place));

//  Which machine made the state directory: none yet, this one, or another, which then
//  is the one that delivers.
typedef enum { ARTEL_OWNER_NONE, ARTEL_OWNER_WE, ARTEL_OWNER_OTHER } artel_owner_t;

artel_owner_t
artel_reach_owner(const artel_place_t *self);

//  The exit code that stands for an error code.
int
artel_reach_exit(int code);

#endif
