//  errors.h - every way a call of artel can fail, in one table.
//
//  A function that can fail returns 0 or one of these negative codes; errno is
//  translated once, where it appears. Codes are never renumbered.

#ifndef ARTEL_ERRORS_H
#define ARTEL_ERRORS_H

#define ARTEL_ERRORS(E)                                                         \
    E(EINVAL,   -1,  "an argument is not valid")                                \
    E(ENOMEM,   -2,  "out of memory")                                           \
    E(EIO,      -3,  "the disk reported an error")                              \
    E(ENOSPC,   -4,  "no space left on the disk")                               \
    E(ENOENT,   -5,  "no such thing")                                           \
    E(EEXIST,   -6,  "it exists already")                                       \
    E(ETIMEOUT, -7,  "the deadline passed")                                     \
    E(EFULL,    -8,  "the queue is full")                                       \
    E(ECLOSED,  -9,  "the handle is closed or finished")                        \
    E(EFORKED,  -10, "this handle belongs to the parent process")               \
    E(EPENDING, -11, "accepted, but not delivered yet")                         \
    E(ELOST,    -12, "accepted records were lost")                              \
    E(EPROTO,   -13, "a message or file does not follow the format")            \
    E(ECORRUPT, -14, "stored bytes do not match their checksum")                \
    E(ELOCKED,  -15, "held by another process")                                 \
    E(EACCES,   -16, "permission denied")                                       \
    E(EUNAVAIL, -17, "no service answers at the endpoint")                      \
    E(EREFUSED, -18, "the sink refused it for good")                            \
    E(ECANCELED,-19, "canceled")                                                \
    E(EVERSION, -20, "made by a newer version of artel")                        \
    E(ELIMIT,   -21, "over a limit")                                            \
    E(ECHANGED, -22, "the file changed while it was read")                      \
    E(EMFILE,   -23, "no file descriptors left")                                \
    E(EAGAIN,   -24, "not now; it is tried again")                              \
    E(ENOLIB,   -25, "OpenSSL's libcrypto or libcurl cannot be loaded")

#ifndef ARTEL_H             //  the public header has the same enum
enum {
#define E(NAME, code, text) ARTEL_##NAME = code,
    ARTEL_ERRORS(E)
#undef E
    ARTEL_OK = 0
};
#endif

//  The name of a code, "ARTEL_EIO", and what it means; never NULL.
const char *
artel_error_code_name(int code);
const char *
artel_error_code_text(int code);

//  The code for an errno value: ENOSPC and EDQUOT are ARTEL_ENOSPC, ENOENT is
//  ARTEL_ENOENT, and so on; what is not in the table is ARTEL_EIO.
int
artel_error_of_errno(int err);

#endif
