//  statements.h - every statement of the catalogue but its schema.
//
//  Parameters are in the order of their numbers. A cell is ?2 key, ?3 type, ?4 value in
//  every table that has one.

#ifndef ARTEL_STATEMENTS_H
#define ARTEL_STATEMENTS_H

#include "standing.h"
#include "statements_artifacts.h"

#define ARTEL_STATEMENTS(S)                                                     \
    S(BEGIN, "BEGIN IMMEDIATE")                                                 \
    S(COMMIT, "COMMIT")                                                         \
    S(MARK, "SAVEPOINT deliver")                                                \
    S(KEEP, "RELEASE deliver")                                                  \
    ARTEL_STATEMENTS_DELIVERY(S)                                                \
    ARTEL_STATEMENTS_RECORDS(S)                                                 \
    ARTEL_STATEMENTS_FILING(S)                                                  \
    ARTEL_STATEMENTS_ARTIFACTS(S)

//  Who sends, how far it is, and what was wrong with it.
#define ARTEL_STATEMENTS_DELIVERY(S)                                            \
    S(POSITION, "SELECT position FROM writers WHERE writer = ?1")               \
    S(FIND_RUN, "SELECT id, rows, last_step, coalesce(world, 0) FROM runs WHERE run = ?1") \
    S(ADD_RUN, "INSERT INTO runs (run) VALUES (?1)")                            \
    S(LEAVE_RUN, "UPDATE runs SET rows = ?2, last_step = ?3 WHERE id = ?1")     \
    S(FIND_WRITER, "SELECT id, run, position, crashed, last_ms, coalesce(rank, -1)" \
                   " FROM writers WHERE writer = ?1")                           \
    S(ADD_WRITER, "INSERT INTO writers (writer, run) VALUES (?1, ?2)")          \
    S(LEAVE_WRITER, "UPDATE writers SET position = ?2, last_ms = ?3 WHERE id = ?1") \
    S(REVIVE, "UPDATE writers SET crashed = 0, exited_ms = NULL, exit_code = NULL WHERE id = ?1") \
    S(FIND_KEY, "SELECT id FROM keys WHERE key = ?1")                           \
    S(ADD_KEY, "INSERT INTO keys (key) VALUES (?1)")                            \
    S(REFUSE, "INSERT OR REPLACE INTO refused"                                  \
              " (writer, counter, record, message, code, reason, xid)"          \
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                           \
    S(FIND_REFUSED, "SELECT code, reason FROM refused WHERE xid = ?1 LIMIT 1")  \
    S(LOSE, "INSERT INTO lost (writer, from_counter, to_counter, reason)"       \
            " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"                    \
            " SET to_counter = max(to_counter, excluded.to_counter), reason = excluded.reason")

#define ARTEL_STATEMENTS_RECORDS(S)                                             \
    S(ADD_PROJECT, "INSERT OR IGNORE INTO projects (project, created_ms)"       \
                   " SELECT coalesce(?2, project, 'default'), ?3 FROM runs WHERE id = ?1") \
    S(SET_RUN, "UPDATE runs SET project = coalesce(?2, project, 'default'),"    \
               " name = coalesce(?3, name, run),"                               \
               " run_group = coalesce(?4, run_group), job_type = coalesce(?5, job_type)," \
               " notes = coalesce(?6, notes), created_ms = coalesce(created_ms, ?7)," \
               " hidden = max(hidden, ?8) WHERE id = ?1")                       \
    S(SET_WORLD, "UPDATE runs SET world = coalesce(world, ?2) WHERE id = ?1")    \
    S(SET_STATE, ARTEL_SET_STATE)                                               \
    S(SET_RANKS_STATE, ARTEL_SET_RANKS_STATE)                                   \
    S(CLEAR_TAGS, "DELETE FROM tags WHERE run = ?1")                            \
    S(ADD_TAG, "INSERT OR IGNORE INTO tags (run, tag) VALUES (?1, ?2)")         \
    S(SET_WRITER, "UPDATE writers SET host = ?2, pid = ?3, program = ?4, started_ms = ?5," \
                  " rank = ?6 WHERE id = ?1")                                   \
    S(SET_EXIT, "UPDATE writers SET exited_ms = ?2, exit_code = ?3, crashed = ?4 WHERE id = ?1") \
    S(ADD_ROW, "INSERT INTO history_rows (run, row, step, time_ms) VALUES (?1, ?2, ?3, ?4)") \
    S(ADD_RANK, "INSERT INTO history_ranks (run, row, rank) VALUES (?1, ?2, ?3)") \
    S(ADD_CELL, "INSERT OR REPLACE INTO history_cells (run, row, key, type, value)" \
                " VALUES (?1, ?5, ?2, ?3, ?4)")                                 \
    S(SET_CONFIG, "INSERT OR REPLACE INTO config_cells (run, key, type, value)" \
                  " VALUES (?1, ?2, ?3, ?4)")                                   \
    S(SET_SUMMARY, "INSERT OR REPLACE INTO summary_cells (run, key, type, value, explicit)" \
                   " VALUES (?1, ?2, ?3, ?4, 1)")                               \
    S(FOLLOW_SUMMARY, "INSERT INTO summary_cells (run, key, type, value, explicit)" \
                      " VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO UPDATE"       \
                      " SET type = excluded.type, value = excluded.value WHERE NOT explicit")

#endif
