//  graphql.h - the body of a GraphQL request, and what its answer says.

#ifndef ARTEL_GRAPHQL_H
#define ARTEL_GRAPHQL_H

#include "http.h"
#include "operations.h"

#include <jansson.h>

//  The body of POST {base}/graphql, which the caller frees; variables are borrowed, and those that
//  are null count as not given. NULL: no memory, a text that is not UTF-8, or a variable that the operation
//  does not have.
char *
artel_graphql_body(artel_operation_t operation, const json_t *variables);

//  Fill in a request for this body, which it borrows, at the server's URL for questions.
void
artel_graphql_request(artel_operation_t operation, const char *url, const artel_http_key_t *key, const char *body,
                      artel_http_t *ret);

//  The data of the answer to a request that is back; the caller's reference. On failure why is one sentence
//  that names the operation: ARTEL_EREFUSED (the server's errors, whatever the status), ARTEL_EPROTO
//  (a 2xx that is no JSON object with data), or http->code if there was no answer.
int
artel_graphql_answer(artel_operation_t operation, const artel_http_t *http, json_t **ret_data,
                     char *why, size_t size);

//  Whether a request that failed with this code might go another time.
bool
artel_graphql_passes(int code, const artel_http_t *http);

//  What is read from an answer's data. All take a path of names, "createArtifact.artifact.id",
//  and fail with ARTEL_EPROTO and the sentence in why.
typedef struct {
    artel_operation_t operation;
    const json_t *data;         //  the object that paths begin at
    char *why;
    size_t size;                //  of why
} artel_reading_t;

//  The value there, or NULL if it or something above it is missing or null.
json_t *
artel_reading_at(const artel_reading_t *self, const char *path);

//  A text; an id, which may also be a number, in at most size bytes with the NUL;
//  a number of at least 0; a list. What they return lives as long as the data.
int
artel_reading_text(const artel_reading_t *self, const char *path, const char **ret);
int
artel_reading_id(const artel_reading_t *self, const char *path, char *ret, size_t size);
int
artel_reading_count(const artel_reading_t *self, const char *path, int64_t *ret);
int
artel_reading_list(const artel_reading_t *self, const char *path, json_t **ret);

//  Put "CommitArtifact: path what" in why; returns ARTEL_EPROTO.
int
artel_reading_fail(const artel_reading_t *self, const char *path, const char *what);

#endif
