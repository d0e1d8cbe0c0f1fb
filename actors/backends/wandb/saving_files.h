//  saving_files.h - how the files of an artifact are sent: batches of them, and one in parts.

#ifndef ARTEL_SAVING_FILES_H
#define ARTEL_SAVING_FILES_H

#include "saving_self.h"

//  One answer to CreateArtifactFiles, as long as PUTs need its texts.
struct artel_saving_batch {
    artel_saving_batch_t *next;
    json_t *data, *edges;
    const uint32_t *files;      //  one an edge
    size_t n, at;               //  edges, and how many of them were looked at
    unsigned used;              //  by requests and uploads
};

//  A file in parts.
struct artel_saving_upload {
    artel_saving_upload_t *next;
    artel_saving_batch_t *batch;
    const json_t *node;         //  of the answer
    uint32_t file;
    size_t n, at, out;          //  parts, handed out, not back
    bool failed;
    char **etags;               //  one a part
};

//  ---- saving_files.c

//  Begin to send all files; the next request of that.
void
artel_saving_send(artel_saving_t *self);
artel_http_t *
artel_saving_next_file(artel_saving_t *self);
void
artel_saving_release_files(artel_saving_t *self);

//  A file is there; or could not be sent, as this request tells; a batch is used no more; see whether all of a round
//  are back (called by what takes a request, while that still counts as out).
void
artel_saving_sent(artel_saving_t *self, uint32_t file);
void
artel_saving_not_sent(artel_saving_t *self, uint32_t file, const artel_http_t *http);
void
artel_saving_leave(artel_saving_t *self, artel_saving_batch_t *batch);
void
artel_saving_check_round(artel_saving_t *self);

//  ---- saving_parts.c

//  How large the parts of an entry are; 0: it goes as a whole.
uint64_t
artel_saving_part_size(const artel_saving_t *self, uint64_t size);

//  The specs' "uploadPartsInput" of an entry, or NULL.
json_t *
artel_saving_part_hashes(const artel_saving_t *self, uint32_t file);

//  Begin to send an entry in parts as the node says; the next part; the end of one.
void
artel_saving_begin_parts(artel_saving_t *self, artel_saving_batch_t *batch, const json_t *node, uint32_t file);
artel_http_t *
artel_saving_next_part(artel_saving_t *self);
artel_http_t *
artel_saving_complete(artel_saving_t *self);
void
artel_saving_release_upload(artel_saving_t *self, artel_saving_upload_t *upload);

#endif
