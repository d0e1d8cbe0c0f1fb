//  netrc.h - the file that W&B's own tools keep keys in, and others their passwords.
//
//      machine HOST[:PORT] login NAME password SECRET      in any layout
//      default login NAME password SECRET                  for whatever has no machine
//      macdef NAME                                         up to an empty line, not ours
//
//  A word may be in double quotes, a backslash takes the next character as it is, and "#"
//  begins a comment where no value is due. Of two entries for one machine the last counts.

#ifndef ARTEL_NETRC_H
#define ARTEL_NETRC_H

#include <stddef.h>

enum { ARTEL_NETRC_WORD = 4096 };   //  bytes of a word, with the NUL

//  $NETRC (a "~/" at its beginning is $HOME), else ~/.netrc or ~/_netrc, whichever there is, else ~/.netrc. The caller
//  frees it. ARTEL_ENOENT: there is no HOME; ARTEL_ENOMEM.
int
artel_netrc_path(char **ret);

//  The password for the machine, which is compared as it is, or of the default. ARTEL_ENOENT: there is none, or no
//  file; ARTEL_EPROTO: why says in which line the file is none of these; ARTEL_EACCES, ARTEL_EMFILE, ARTEL_EIO, ARTEL_ELIMIT (a
//  word or the file is too long), ARTEL_ENOMEM.
int
artel_netrc_find(const char *path, const char *machine, char ret[ARTEL_NETRC_WORD], char *why, size_t size);

//  Put an entry for the machine at the file's end, with the login "user", and take out those it had; everything
//  else stays byte for byte. The file is replaced as a whole, mode 0600, or not at all; a link to it stays one. The
//  codes of artel_netrc_find, ARTEL_ENOSPC, and ARTEL_EINVAL: a word that no line can hold.
int
artel_netrc_write(const char *path, const char *machine, const char *password);

#endif
