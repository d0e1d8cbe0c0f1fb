//  filing.h - a manifest's entries and a pack's index, copied into the catalogue.
//
//  Internal to backends/. Nobody sees them before a version names the manifest,
//  so they may come in as many transactions as it takes.

#ifndef ARTEL_FILING_H
#define ARTEL_FILING_H

#include "catalogue.h"

typedef struct artel_filing artel_filing_t;

//  Whether a manifest is in the catalogue with all its entries, and a pack ("":
//  none) with all its blobs: 1, 0, or a code.
int
artel_filing_is_done(artel_catalogue_t *self, const artel_digest_t *manifest, artel_str_t pack);

//  Read a manifest and the index of the pack that came with it ("": none) from
//  the catalogue's own store, and check them. Better outside of a transaction, as
//  it reads files. ARTEL_ENOENT, ARTEL_ECORRUPT, ARTEL_EPROTO, ARTEL_ELIMIT: it will
//  never be had; ARTEL_EIO, ARTEL_EMFILE, ARTEL_EACCES, ARTEL_ENOMEM, ARTEL_EVERSION:
//  not now. text (size bytes) says why.
int
artel_filing_open(artel_catalogue_t *self, const artel_digest_t *manifest, const char *pack,
                  artel_filing_t **ret, char *text, size_t size);
void
artel_filing_close(artel_filing_t **self_p);

//  Go on in the open transaction until it is late: 1 if there is more to do, 0 if
//  all is filed, or a code of the catalogue.
int
artel_filing_step(artel_catalogue_t *self, artel_filing_t *filing);

//  Whether a code of artel_filing_open, or of an import, is for good.
bool
artel_filing_is_hopeless(int code);

#endif
