//  batches.h - batches made by a test, and a catalogue in a folder of its own to
//  put them into.

#ifndef BATCHES_H
#define BATCHES_H

#include <criterion/criterion.h>

#include "catalogue.h"
#include "delivery.h"
#include "errors.h"
#include "state.h"

#include <ftw.h>
#include <msgpack.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

//  A batch of the run "r" unless it says another.
typedef struct {
    const char *run;
    artel_id_t writer;
    uint64_t counter, after;
    artel_strs_t keys;
    artel_bin_t xids;
    const artel_msg_t *records;
    size_t n;
} batch_t;

static inline artel_msg_deliver_t
batch_pack(const batch_t *batch, msgpack_sbuffer *out)
{
    const char *run = batch->run ? batch->run : "r";
    msgpack_sbuffer_clear(out);
    cr_assert_eq(artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = { artel_str(run),
        batch->writer, batch->counter, batch->keys, batch->xids } }, out), 0);
    for (size_t i = 0; i < batch->n; i++)
        cr_assert_eq(artel_msg_pack(&batch->records[i], out), 0);
    return (artel_msg_deliver_t) { artel_str(run), batch->writer, batch->counter,
                                   { out->data, out->size }, batch->after };
}

//  Apply one batch in a transaction of its own.
static inline int
batch_apply(artel_catalogue_t *catalogue, const batch_t *batch, artel_verdicts_t *verdicts)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    artel_msg_deliver_t deliver = batch_pack(batch, &out);
    artel_verdicts_t none = { 0 }, own = { 0 };
    cr_assert_eq(artel_catalogue_begin(catalogue), 0);
    int rc = artel_delivery_apply(catalogue, &deliver, &none, verdicts ? verdicts : &own);
    if (rc == 0)
        rc = artel_catalogue_commit(catalogue);
    else
        artel_catalogue_rollback(catalogue);
    artel_verdicts_done(&own);
    msgpack_sbuffer_destroy(&out);
    return rc;
}

//  The first row of a query as the shell shows it: columns joined by '|', a
//  NULL as "NULL", rows by a space. The caller's until the next call.
static inline const char *
query(artel_catalogue_t *catalogue, const char *sql)
{
    static char text[4096];
    size_t len = 0;
    sqlite3_stmt *stmt;
    text[0] = 0;
    cr_assert_eq(sqlite3_prepare_v2(artel_catalogue_db(catalogue), sql, -1, &stmt, NULL), SQLITE_OK,
                 "%s: %s", sql, sqlite3_errmsg(artel_catalogue_db(catalogue)));
    while (sqlite3_step(stmt) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *value = (const char *) sqlite3_column_text(stmt, i);
            len += (size_t) snprintf(text + len, sizeof text - len, "%s%s",
                                     i ? "|" : len ? " " : "", value ? value : "NULL");
        }
    sqlite3_finalize(stmt);
    return text;
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void) st, (void) type, (void) ftw;
    return remove(path);
}

static inline char *
folder_new(void)
{
    const char *tmp = getenv("TMPDIR");
    char *path = artel_format("%s/artel-test-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert(mkdtemp(path));
    return path;
}

static inline void
folder_destroy(char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

#endif
