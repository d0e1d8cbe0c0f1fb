//  daemon.h - the service of a state directory, as the commands see it.

#ifndef ARTEL_DAEMON_H
#define ARTEL_DAEMON_H

#include "args.h"

#include <jansson.h>

typedef struct {
    char *dir;                      //  the state directory
    char *socket;                   //  where it would listen; NULL: there is no directory yet
    bool taken;                     //  somebody holds the service's lock
    int pid;                        //  who that is; 0: it is not known (service.h)
    bool serving;                   //  it has answered at its socket
    char why[512];                  //  why it does not serve; ""
} artel_daemon_t;

//  Find where it would be, nothing more: artel_daemon_look says what it is. Exit code.
//  Release it in any case.
int
artel_daemon_find(const artel_args_t *args, artel_daemon_t *ret);
void
artel_daemon_done(artel_daemon_t *self);

//  Ask it. One that holds its lock and is silent is waited for, up to five seconds. Only
//  while no other thread runs: the environment says to whom artel_open goes.
void
artel_daemon_look(artel_daemon_t *self);

//  Who holds the lock: "pid 4711", or that it is not seen from here. ret.
const char *
artel_daemon_who(const artel_daemon_t *self, char *ret, size_t size);

//  What was seen, with the programs and journals it has to do with. NULL if out of memory.
json_t *
artel_daemon_row(const artel_daemon_t *self);

//  Print a row on one line; takes it. Exit code.
int
artel_daemon_print(json_t *row);

//  Become arteld: that beside this program, else that of PATH, with its log in a file
//  unless log is NULL. Returns only if neither can be run, with errno.
void
artel_daemon_exec(const artel_args_t *args, const char *dir, const char *log);

#endif
