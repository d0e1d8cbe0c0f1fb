//  records.c - one function a record.

#include "records.h"

#include "errors.h"

#include <assert.h>
#include <math.h>

int
artel_record_refuse(artel_scope_t *scope, const char *name, const artel_id_t *xid, int64_t code,
                    const char *reason)
{
    return artel_sql_run(scope->catalogue, ARTEL_SQL_REFUSE, ARGS(
        INT(scope->writer), INT((int64_t) scope->deliver->counter),
        INT(scope->record), SOME(artel_str(name)), INT(code),
        TEXT(artel_str(reason)), ID(xid)));
}

//  The writer was alive then.
static void
s_alive_at(artel_scope_t *scope, int64_t at_ms)
{
    if (at_ms > scope->last_ms)
        scope->last_ms = at_ms;
}

//  SQLite has no NaN: it is a NULL.
static void
s_bind_value(sqlite3_stmt *stmt, int at, const artel_cell_t *cell)
{
    switch (cell->kind) {
    case ARTEL_F64:
        isnan(cell->f64) ? sqlite3_bind_null(stmt, at) : sqlite3_bind_double(stmt, at, cell->f64);
        break;
    case ARTEL_I64: sqlite3_bind_int64(stmt, at, cell->i64); break;
    case ARTEL_BOOL: sqlite3_bind_int64(stmt, at, cell->flag); break;
    case ARTEL_STR:
        sqlite3_bind_text64(stmt, at, cell->str.at, cell->str.len, SQLITE_STATIC, SQLITE_UTF8);
        break;
    }
}

//  Bound by hand: this is where the time of a delivery goes.
static int
s_put_cell(artel_scope_t *scope, artel_sql_t which, const artel_cell_t *cell, int64_t row)
{
    sqlite3_stmt *stmt = artel_sql(scope->catalogue, which);
    if (!stmt)
        return artel_sql_fail(scope->catalogue, sqlite3_extended_errcode(scope->catalogue->db));
    sqlite3_bind_int64(stmt, 1, scope->run);
    sqlite3_bind_int64(stmt, 2, scope->slots[cell->key].id);
    sqlite3_bind_int64(stmt, 3, cell->kind);
    s_bind_value(stmt, 4, cell);
    if (which == ARTEL_SQL_ADD_CELL)
        sqlite3_bind_int64(stmt, 5, row);
    return artel_sql_finish(scope->catalogue, stmt);
}

static int
s_put_row(artel_scope_t *scope, artel_sql_t which, const artel_row_t *row)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < row->n; i++)
        rc = s_put_cell(scope, which, &row->at[i], 0);
    return rc;
}

//  The records, one function each.

static int
s_set_tags(artel_scope_t *scope, const artel_strs_t *tags)
{
    int rc = artel_sql_run(scope->catalogue, ARTEL_SQL_CLEAR_TAGS, ARGS(INT(scope->run)));
    for (size_t i = 0; rc == 0 && i < tags->n; i++)
        rc = artel_sql_run(scope->catalogue, ARTEL_SQL_ADD_TAG, ARGS(
            INT(scope->run), TEXT(tags->at[i])));
    return rc;
}

static int
s_on_run(artel_scope_t *scope, const artel_msg_t *msg)
{
    const artel_msg_run_t *run = &msg->run;
    if (run->run.len && !artel_str_equal(run->run, scope->deliver->run))
        return artel_record_refuse(scope, "run", NULL, ARTEL_EPROTO,
                                   "the record is of another run than its batch");
    s_alive_at(scope, run->at_ms);
    int rc = artel_sql_run(scope->catalogue, ARTEL_SQL_ADD_PROJECT, ARGS(
        INT(scope->run), SOME(run->project), INT(run->at_ms)));
    if (rc == 0)
        rc = artel_sql_run(scope->catalogue, ARTEL_SQL_SET_RUN, ARGS(
            INT(scope->run), SOME(run->project), SOME(run->name),
            SOME(run->group), SOME(run->job_type), SOME(run->notes),
            INT(run->at_ms), INT(run->hidden)));
    return rc == 0 && !run->keeps_tags ? s_set_tags(scope, &run->tags) : rc;
}

//  Its rows are this rank's from here on.
static int
s_take_rank(artel_scope_t *scope, const artel_msg_run_start_t *start)
{
    if (start->world == 0)
        return 0;
    scope->rank = (int64_t) start->rank;
    if (scope->world)
        return 0;
    scope->world = (int64_t) start->world;
    return artel_sql_run(scope->catalogue, ARTEL_SQL_SET_WORLD, ARGS(
        INT(scope->run), INT(scope->world)));
}

static artel_arg_t
s_rank(const artel_scope_t *scope)
{
    return scope->rank < 0 ? ID(NULL) : INT(scope->rank);
}

static int
s_on_run_start(artel_scope_t *scope, const artel_msg_t *msg)
{
    const artel_msg_run_start_t *start = &msg->run_start;
    s_alive_at(scope, start->at_ms);
    scope->has_news = true;
    int rc = s_take_rank(scope, start);
    return rc != 0 ? rc : artel_sql_run(scope->catalogue, ARTEL_SQL_SET_WRITER, ARGS(
        INT(scope->writer), SOME(start->host), INT((int64_t) start->pid),
        SOME(start->program), INT(start->at_ms), s_rank(scope)));
}

//  Whose the rows of this batch are, if the run has ranks.
static int
s_begin_rows(artel_scope_t *scope)
{
    scope->has_rows = true;
    return !scope->world ? 0 : artel_sql_run(scope->catalogue, ARTEL_SQL_ADD_RANK, ARGS(
        INT(scope->run), INT(scope->rows), s_rank(scope)));
}

static int
s_on_history(artel_scope_t *scope, const artel_msg_t *msg)
{
    const artel_msg_history_t *history = &msg->history;
    s_alive_at(scope, history->at_ms);
    int rc = scope->has_rows ? 0 : s_begin_rows(scope);
    if (rc == 0)
        rc = artel_sql_run(scope->catalogue, ARTEL_SQL_ADD_ROW, ARGS(
            INT(scope->run), INT(scope->rows), INT(history->step), INT(history->at_ms)));
    for (size_t i = 0; rc == 0 && i < history->row.n; i++) {
        const artel_cell_t *cell = &history->row.at[i];
        artel_slot_t *slot = &scope->slots[cell->key];
        slot->is_set = true;
        slot->last = *cell;
        rc = s_put_cell(scope, ARTEL_SQL_ADD_CELL, cell, scope->rows);
    }
    if (scope->rows == 0 || history->step > scope->last_step)
        scope->last_step = history->step;
    scope->rows++;
    return rc;
}

static int
s_on_config(artel_scope_t *scope, const artel_msg_t *msg)
{
    return s_put_row(scope, ARTEL_SQL_SET_CONFIG, &msg->config.row);
}

static int
s_on_summary(artel_scope_t *scope, const artel_msg_t *msg)
{
    return s_put_row(scope, ARTEL_SQL_SET_SUMMARY, &msg->summary.row);
}

static int
s_on_artifact_send(artel_scope_t *scope, const artel_msg_t *msg)
{
    s_alive_at(scope, msg->artifact_send.at_ms);
    return artel_artifact_commit(scope, msg);
}

//  The form of those that nobody waits for has the same fields, and the same
//  meaning here.
static int
s_on_artifact(artel_scope_t *scope, const artel_msg_t *msg)
{
    artel_msg_t send = { .id = ARTEL_MSG_ARTIFACT_SEND };
    static_assert(sizeof send.artifact_send == sizeof msg->artifact, "they are alike");
    memcpy(&send.artifact_send, &msg->artifact, sizeof send.artifact_send);
    return s_on_artifact_send(scope, &send);
}

static int
s_on_use_artifact(artel_scope_t *scope, const artel_msg_t *msg)
{
    s_alive_at(scope, msg->use_artifact.at_ms);
    return artel_artifact_use(scope, msg);
}

static int
s_on_exit(artel_scope_t *scope, const artel_msg_t *msg)
{
    const artel_msg_exit_t *end = &msg->exit;
    if (!end->crashed)
        s_alive_at(scope, end->at_ms);          //  otherwise it is the time of who found out
    scope->has_news = true;
    return artel_sql_run(scope->catalogue, ARTEL_SQL_SET_EXIT, ARGS(
        INT(scope->writer), INT(end->at_ms), INT(end->code),
        INT(end->crashed)));
}

static int
s_on_lost(artel_scope_t *scope, const artel_msg_t *msg)
{
    const artel_msg_lost_t *lost = &msg->lost;
    return artel_sql_run(scope->catalogue, ARTEL_SQL_LOSE, ARGS(
        INT(scope->writer), INT((int64_t) lost->from),
        INT((int64_t) lost->to), TEXT(lost->reason)));
}

//  A record of the table without its function above doesn't compile.
static int (*const s_records[])(artel_scope_t *, const artel_msg_t *) = {
#define M(id, NAME, name) [id] = s_on_##name,
    ARTEL_RECORDS(M)
#undef M
};

int
artel_record_apply(artel_scope_t *scope, const artel_msg_t *record)
{
    return s_records[record->id](scope, record);
}

int
artel_records_end(artel_scope_t *scope)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < scope->n_slots; i++)
        if (scope->slots[i].is_set)
            rc = s_put_cell(scope, ARTEL_SQL_FOLLOW_SUMMARY, &scope->slots[i].last, 0);
    if (rc == 0 && scope->has_rows)
        rc = artel_sql_run(scope->catalogue, ARTEL_SQL_LEAVE_RUN, ARGS(
            INT(scope->run), INT(scope->rows), INT(scope->last_step)));
    if (rc == 0)
        rc = artel_sql_run(scope->catalogue, ARTEL_SQL_LEAVE_WRITER, ARGS(
            INT(scope->writer), INT((int64_t) scope->deliver->counter),
            INT(scope->last_ms)));
    if (rc != 0 || !scope->has_news)
        return rc;
    return scope->world ? artel_sql_run(scope->catalogue, ARTEL_SQL_SET_RANKS_STATE,
                                        ARGS(INT(scope->run), INT(scope->world)))
                        : artel_sql_run(scope->catalogue, ARTEL_SQL_SET_STATE, ARGS(INT(scope->run)));
}
