//  delivery.c - a batch: whose it is, whether it is new, and its records.

#include "delivery.h"

#include "batch.h"
#include "bounds.h"
#include "errors.h"
#include "records.h"

#include <msgpack.h>

enum { MAX_CACHED_KEYS = 100000 };

int
artel_verdicts_add(artel_verdicts_t *self, const artel_verdict_t *verdict)
{
    if (self->n == self->room) {
        size_t room = self->room ? self->room * 2 : 8;
        artel_verdict_t *at = realloc(self->at, room * sizeof *at);
        if (!at)
            return ARTEL_ENOMEM;
        self->at = at;
        self->room = room;
    }
    self->at[self->n++] = *verdict;
    return 0;
}

const artel_verdict_t *
artel_verdicts_find(const artel_verdicts_t *self, const artel_id_t *xid)
{
    for (size_t i = 0; i < self->n; i++)
        if (artel_id_equal(self->at[i].xid, *xid))
            return &self->at[i];
    return NULL;
}

void
artel_verdicts_done(artel_verdicts_t *self)
{
    free(self->at);
    *self = (artel_verdicts_t) { .at = NULL };
}

static int
s_complain(artel_scope_t *scope, int code, const char *what)
{
    const artel_msg_deliver_t *deliver = scope->deliver;
    snprintf(scope->catalogue->error, sizeof scope->catalogue->error, "batch %llu of run %.*s: %s",
             (unsigned long long) deliver->counter, (int) deliver->run.len, deliver->run.at, what);
    return code;
}

//  Find the run and the writer, or add them. ARTEL_EPROTO if the writer is another run's.

static int
s_find_writer(artel_scope_t *scope, int64_t *ret_run, bool *ret_crashed)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(scope->catalogue, ARTEL_SQL_FIND_WRITER,
                           ARGS(ID(&scope->deliver->writer)), &stmt);
    if (rc <= 0)
        return rc;
    scope->writer = sqlite3_column_int64(stmt, 0);
    *ret_run = sqlite3_column_int64(stmt, 1);
    scope->position = (uint64_t) sqlite3_column_int64(stmt, 2);
    *ret_crashed = sqlite3_column_int(stmt, 3);
    scope->last_ms = sqlite3_column_int64(stmt, 4);
    scope->rank = sqlite3_column_int64(stmt, 5);
    sqlite3_reset(stmt);
    return 0;
}

static int
s_find_run(artel_scope_t *scope)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(scope->catalogue, ARTEL_SQL_FIND_RUN,
                           ARGS(TEXT(scope->deliver->run)), &stmt);
    if (rc <= 0)
        return rc;
    scope->run = sqlite3_column_int64(stmt, 0);
    scope->rows = sqlite3_column_int64(stmt, 1);
    scope->last_step = sqlite3_column_int64(stmt, 2);
    scope->world = sqlite3_column_int64(stmt, 3);
    sqlite3_reset(stmt);
    return 0;
}

static int
s_enter(artel_scope_t *scope)
{
    int64_t run = 0;
    bool crashed = false;
    int rc = s_find_writer(scope, &run, &crashed);
    if (rc == 0)
        rc = s_find_run(scope);
    if (rc == 0 && run && scope->run != run)
        return s_complain(scope, ARTEL_EPROTO, "its writer has written in another run");
    if (rc == 0 && !scope->run)
        rc = artel_sql_insert(scope->catalogue, ARTEL_SQL_ADD_RUN,
                              ARGS(TEXT(scope->deliver->run)), &scope->run);
    if (rc == 0 && !scope->writer) {
        scope->has_news = true;
        rc = artel_sql_insert(scope->catalogue, ARTEL_SQL_ADD_WRITER, ARGS(
            ID(&scope->deliver->writer), INT(scope->run)), &scope->writer);
    }
    if (rc == 0 && crashed && scope->deliver->counter > scope->position) {
        scope->has_news = true;                 //  it was not dead after all
        rc = artel_sql_run(scope->catalogue, ARTEL_SQL_REVIVE, ARGS(INT(scope->writer)));
    }
    return rc;
}

//  The id of a key, which it keeps for ever. ARTEL_EPROTO if it can be none.
static int
s_key(artel_catalogue_t *self, artel_str_t key, int64_t *ret)
{
    char text[ARTEL_MAX_KEY + 1];
    if (key.len == 0 || key.len > ARTEL_MAX_KEY || memchr(key.at, 0, key.len))
        return ARTEL_EPROTO;
    memcpy(text, key.at, key.len);
    text[key.len] = 0;
    int64_t id = (intptr_t) zhashx_lookup(self->keys, text);
    if (!id) {
        sqlite3_stmt *stmt;
        int rc = artel_sql_row(self, ARTEL_SQL_FIND_KEY, ARGS(TEXT(key)), &stmt);
        if (rc > 0) {
            id = sqlite3_column_int64(stmt, 0);
            sqlite3_reset(stmt);
        } else if (rc == 0) {
            rc = artel_sql_insert(self, ARTEL_SQL_ADD_KEY, ARGS(TEXT(key)), &id);
        }
        if (rc < 0)
            return rc;
        if (zhashx_size(self->keys) >= MAX_CACHED_KEYS)
            zhashx_purge(self->keys);
        zhashx_insert(self->keys, text, (void *) (intptr_t) id);
    }
    *ret = id;
    return 0;
}

static int
s_enter_keys(artel_scope_t *scope, const artel_strs_t *keys, msgpack_zone *zone)
{
    scope->slots = keys->n ? msgpack_zone_malloc(zone, keys->n * sizeof *scope->slots) : NULL;
    if (keys->n && !scope->slots)
        return ARTEL_ENOMEM;
    scope->n_slots = keys->n;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < keys->n; i++) {
        scope->slots[i].is_set = false;
        rc = s_key(scope->catalogue, keys->at[i], &scope->slots[i].id);
    }
    return rc;
}

int
artel_delivery_recall(artel_catalogue_t *self, const artel_id_t *xid, artel_verdict_t *ret)
{
    sqlite3_stmt *stmt;
    *ret = (artel_verdict_t) { .xid = *xid, .version = -1 };
    int rc = artel_sql_row(self, ARTEL_SQL_FIND_SEND, ARGS(ID(xid)), &stmt);
    if (rc > 0) {
        ret->version = sqlite3_column_int64(stmt, 0);
        ret->fresh = sqlite3_column_int(stmt, 1);
        sqlite3_reset(stmt);
    } else if (rc == 0 && (rc = artel_sql_row(self, ARTEL_SQL_FIND_REFUSED, ARGS(ID(xid)), &stmt)) > 0) {
        ret->code = sqlite3_column_int64(stmt, 0);
        snprintf(ret->text, sizeof ret->text, "%s", artel_sql_text(stmt, 1).at);
        sqlite3_reset(stmt);
    }
    return rc;
}

//  What became of an artifact_send of a batch that was here before.
static int
s_recall(artel_scope_t *scope, const artel_id_t *xid)
{
    artel_verdict_t verdict;
    int rc = artel_delivery_recall(scope->catalogue, xid, &verdict);
    if (rc == 0) {
        verdict.code = ARTEL_EREFUSED;
        snprintf(verdict.text, sizeof verdict.text, "its batch could not be read");
    }
    return rc < 0 ? rc : artel_verdicts_add(scope->verdicts, &verdict);
}

//  A verdict for each artifact_send of the head that has none yet among those
//  from first on, which are this batch's.
static int
s_recall_all(artel_scope_t *scope, const artel_bin_t *xids, size_t first)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i + sizeof(artel_id_t) <= xids->len; i += sizeof(artel_id_t)) {
        artel_id_t xid;
        memcpy(xid.at, xids->at + i, sizeof xid.at);
        artel_verdicts_t ours = { scope->verdicts->at + first, scope->verdicts->n - first, 0 };
        if (!artel_verdicts_find(&ours, &xid))
            rc = s_recall(scope, &xid);
    }
    return rc;
}

//  The records, each applied or refused. What stands behind one that is none
//  cannot be read either.
static int
s_records(artel_scope_t *scope, artel_batch_reader_t *reader)
{
    artel_msg_t record;
    int rc;
    for (scope->record = 0; (rc = artel_batch_next(reader, &record)) > 0; scope->record++) {
        rc = artel_record_apply(scope, &record);
        if (rc != 0)
            return rc;
        msgpack_zone_clear(reader->zone);
    }
    if (rc == ARTEL_EPROTO)
        rc = artel_record_refuse(scope, NULL, NULL, ARTEL_EPROTO,
                                 "no record: from here on the batch cannot be read");
    return rc;
}

//  Why the batch as a whole cannot be taken; NULL if it can.
static const char *
s_fault(const artel_scope_t *scope, const artel_msg_batch_t *head)
{
    if (!artel_str_equal(head->run, scope->deliver->run)
        || !artel_id_equal(head->writer, scope->deliver->writer))
        return "the batch is another writer's than the journal's it was in";
    if (head->counter != scope->deliver->counter)
        return "the batch has another counter than its frame";
    return NULL;
}

static int
s_pass_over(artel_scope_t *scope, int code, const char *reason)
{
    scope->record = -1;
    scope->n_slots = 0;
    int rc = artel_record_refuse(scope, "batch", NULL, code, reason);
    return rc == 0 ? artel_records_end(scope) : rc;
}

//  A new batch. zones: for its head, and for one record at a time.
static int
s_take(artel_scope_t *scope, msgpack_zone zones[2])
{
    artel_batch_reader_t reader;
    size_t first = scope->verdicts->n;
    artel_bin_t batch = scope->deliver->batch;
    int rc = artel_batch_read(batch.at, batch.len, &zones[0], &reader);
    if (rc == ARTEL_EPROTO)
        return s_pass_over(scope, ARTEL_EPROTO, "what was in the journal is no batch");
    const char *fault = rc == 0 ? s_fault(scope, &reader.head) : NULL;
    if (fault)
        return s_pass_over(scope, ARTEL_EPROTO, fault);
    if (rc == 0)
        rc = s_enter_keys(scope, &reader.head.keys, &zones[0]);
    if (rc == ARTEL_EPROTO)
        return s_pass_over(scope, ARTEL_EPROTO,
                           "a key is empty, longer than 255 bytes, or has a NUL");
    reader.zone = &zones[1];
    if (rc == 0)
        rc = s_records(scope, &reader);
    if (rc == 0)
        rc = s_recall_all(scope, &reader.head.xids, first);
    return rc == 0 ? artel_records_end(scope) : rc;
}

//  A batch that was here before.
static int
s_repeat(artel_scope_t *scope, msgpack_zone *zone)
{
    artel_batch_reader_t reader;
    int rc = artel_batch_read(scope->deliver->batch.at, scope->deliver->batch.len, zone, &reader);
    if (rc != 0)
        return rc == ARTEL_EPROTO ? 0 : rc;
    return s_recall_all(scope, &reader.head.xids, scope->verdicts->n);
}

//  A gap is legal if the sender says that its journal has nothing in between.
static int
s_check_gap(artel_scope_t *scope)
{
    const artel_msg_deliver_t *deliver = scope->deliver;
    if (deliver->after > scope->position)
        return s_complain(scope, ARTEL_EAGAIN, "batches before it are missing");
    if (deliver->counter == scope->position + 1)
        return 0;
    return artel_sql_run(scope->catalogue, ARTEL_SQL_LOSE, ARGS(
        INT(scope->writer), INT((int64_t) scope->position + 1),
        INT((int64_t) deliver->counter - 1), TEXT(artel_str("not in the journal"))));
}

static int
s_apply(artel_scope_t *scope)
{
    msgpack_zone zones[2];
    if (!msgpack_zone_init(&zones[0], 8192))
        return ARTEL_ENOMEM;
    if (!msgpack_zone_init(&zones[1], 8192)) {
        msgpack_zone_destroy(&zones[0]);
        return ARTEL_ENOMEM;
    }
    int rc = s_enter(scope);
    if (rc == 0 && scope->deliver->counter <= scope->position) {
        rc = s_repeat(scope, &zones[0]);
    } else if (rc == 0) {
        rc = s_check_gap(scope);
        if (rc == 0)
            rc = s_take(scope, zones);
    }
    msgpack_zone_destroy(&zones[0]);
    msgpack_zone_destroy(&zones[1]);
    return rc;
}

//  Take back what this batch did; the rest of the transaction stands, unless
//  the failure has ended it.
static void
s_undo(artel_catalogue_t *self)
{
    zhashx_purge(self->keys);
    if (artel_catalogue_in_transaction(self))
        sqlite3_exec(self->db, "ROLLBACK TO deliver; RELEASE deliver", NULL, NULL, NULL);
}

//  A batch that SQLite will never take is passed over as a whole.
static int
s_give_up(artel_scope_t *scope)
{
    char reason[sizeof scope->catalogue->error];
    snprintf(reason, sizeof reason, "%s", scope->catalogue->error);
    int rc = s_enter(scope);
    return rc == 0 ? s_pass_over(scope, ARTEL_EREFUSED, reason) : rc;
}

static int
s_marked(artel_scope_t *scope, int (*fn)(artel_scope_t *scope))
{
    size_t verdicts = scope->verdicts->n;
    int rc = artel_sql_run(scope->catalogue, ARTEL_SQL_MARK, NULL, 0);
    if (rc != 0)
        return rc;
    rc = fn(scope);
    if (rc == 0)
        rc = artel_sql_run(scope->catalogue, ARTEL_SQL_KEEP, NULL, 0);
    if (rc != 0) {
        s_undo(scope->catalogue);
        scope->verdicts->n = verdicts;
    }
    return rc;
}

int
artel_delivery_apply(artel_catalogue_t *self, const artel_msg_deliver_t *deliver,
                     const artel_verdicts_t *seen, artel_verdicts_t *verdicts)
{
    artel_scope_t fresh = { .catalogue = self, .deliver = deliver, .rank = -1, .record = -1,
                            .seen = seen, .verdicts = verdicts };
    artel_scope_t scope = fresh;
    int rc = s_marked(&scope, s_apply);
    if (rc == ARTEL_EREFUSED && artel_catalogue_in_transaction(self)) {
        scope = fresh;
        rc = s_marked(&scope, s_give_up);
    }
    return rc;
}
