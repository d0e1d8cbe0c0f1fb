//  service.h - where the node is that serves every program of a machine, and who it is.
//
//  The service over a state directory listens on a socket file in a folder that
//  only its user may enter: $XDG_RUNTIME_DIR/artel, else /tmp/artel-UID. The
//  file's name is a hash of the directory's. Whoever holds the lock of the file
//  `service` in the state directory is the service; the file says who that is.

#ifndef ARTEL_SERVICE_H
#define ARTEL_SERVICE_H

#include <stddef.h>

//  The path of the socket, which the caller frees. The state directory must exist.
//  ARTEL_ENOENT, ARTEL_ENOMEM; ARTEL_ELIMIT if it is longer than a socket's may be.
int
artel_service_path(const char *state, char **ret);

//  Make the folder of the socket. ARTEL_EACCES if it is there and somebody else
//  owns it or may enter it; ARTEL_ENOSPC, ARTEL_EIO.
int
artel_service_folder(const char *path);

//  Whether somebody listens: 0. ARTEL_ENOENT: nobody does, be there a socket left
//  over or not. ARTEL_EACCES: it is another user's process, which is not to be trusted,
//  or we may not ask. ARTEL_EUNAVAIL: its queue is full. Does not block.
int
artel_service_probe(const char *path);

//  Become the service. *ret_fd holds the lock until artel_fd_close. ARTEL_ELOCKED
//  with who holds it in why ("pid 4711"), else the code of the file.
int
artel_service_take(const char *state, int *ret_fd, char *why, size_t size);

//  Whether somebody is the service: 1 and its pid, which is 0 if it has become that just now, or its
//  process is not seen from here (another container's); 0: nobody; or an error code.
int
artel_service_holder(const char *state, int *ret_pid);

#endif
