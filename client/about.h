//  about.h - what a run says of itself: the record `run`.

#ifndef ARTEL_ABOUT_H
#define ARTEL_ABOUT_H

#include "client.h"

//  Take what options say of a run. One that may be there already keeps what is not said.
//  ARTEL_EINVAL with a sentence, ARTEL_ENOMEM.
int
artel_about_take(artel_run_t *run, const artel_run_options_t *options);
void
artel_about_done(artel_run_t *run);

//  How many tags there are (a list that ends with NULL, or NULL). ARTEL_EINVAL,
//  ARTEL_ELIMIT with a sentence.
int
artel_about_check_tags(artel_t *client, const char *const *tags, size_t *ret_n);

//  Queue the record, with n tags in place of those there are, unless it keeps them. The
//  outbox's lock is held, or nobody else knows the run yet.
int
artel_about_put(artel_run_t *run, const char *const *tags, size_t n, bool keeps_tags);

#endif
