//  statements.h - every statement of the catalogue but its schema.
//
//  Parameters are in the order of their numbers. A cell is ?2 key, ?3 type, ?4 value in
//  every table that has one.

#ifndef ARTEL_STATEMENTS_H
#define ARTEL_STATEMENTS_H

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
    S(FIND_RUN, "SELECT id, rows, last_step FROM runs WHERE run = ?1")          \
    S(ADD_RUN, "INSERT INTO runs (run) VALUES (?1)")                            \
    S(LEAVE_RUN, "UPDATE runs SET rows = ?2, last_step = ?3 WHERE id = ?1")     \
    S(FIND_WRITER, "SELECT id, run, position, crashed, last_ms FROM writers WHERE writer = ?1") \
    S(ADD_WRITER, "INSERT INTO writers (writer, run) VALUES (?1, ?2)")          \
    S(LEAVE_WRITER, "UPDATE writers SET position = ?2, last_ms = ?3 WHERE id = ?1") \
    S(REVIVE, "UPDATE writers SET crashed = 0, exited_ms = NULL, exit_code = NULL WHERE id = ?1") \
    S(FIND_KEY, "SELECT id FROM keys WHERE key = ?1")                           \
    S(ADD_KEY, "INSERT INTO keys (key) VALUES (?1)")                            \
    S(REFUSE, "INSERT OR REPLACE INTO refused"                                  \
              " (writer, counter, record, message, code, reason, xid)"          \
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                           \
    S(FIND_REFUSED, "SELECT code, reason FROM refused WHERE xid = ?1 LIMIT 1")  \
    S(LOSE, "INSERT INTO lost VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"    \
            " SET to_counter = max(to_counter, excluded.to_counter), reason = excluded.reason")

//  A run is running while a writer of it is. Then the worst end counts, but
//  not that of a writer after whose last record another one took over (within
//  one millisecond: the one that was seen later).
#define ARTEL_SET_STATE                                                         \
    "WITH w AS (SELECT * FROM writers WHERE run = ?1), v AS ("                  \
    "  SELECT crashed, exit_code, exited_ms FROM w a"                           \
    "  WHERE NOT EXISTS (SELECT 1 FROM w b"                                     \
    "   WHERE (b.started_ms, b.id) > (a.last_ms, a.id))"                        \
    "  ORDER BY crashed DESC, exit_code <> 0 DESC, exited_ms DESC LIMIT 1)"     \
    " UPDATE runs SET (state, exit_code, finished_ms) = (SELECT"                \
    "  CASE WHEN crashed THEN 'crashed' WHEN exit_code = 0 THEN 'finished' ELSE 'failed' END," \
    "  exit_code, exited_ms FROM v"                                             \
    "  WHERE NOT EXISTS (SELECT 1 FROM w WHERE exited_ms IS NULL)"              \
    "  UNION ALL SELECT 'running', NULL, NULL LIMIT 1) WHERE id = ?1"

#define ARTEL_STATEMENTS_RECORDS(S)                                             \
    S(ADD_PROJECT, "INSERT OR IGNORE INTO projects VALUES (?1, ?2)")            \
    S(SET_RUN, "UPDATE runs SET project = coalesce(?2, project), name = coalesce(?3, name)," \
               " run_group = coalesce(?4, run_group), job_type = coalesce(?5, job_type)," \
               " notes = coalesce(?6, notes), created_ms = coalesce(created_ms, ?7)," \
               " hidden = max(hidden, ?8) WHERE id = ?1")                       \
    S(SET_STATE, ARTEL_SET_STATE)                                               \
    S(CLEAR_TAGS, "DELETE FROM tags WHERE run = ?1")                            \
    S(ADD_TAG, "INSERT OR IGNORE INTO tags VALUES (?1, ?2)")                    \
    S(SET_WRITER, "UPDATE writers SET host = ?2, pid = ?3, program = ?4, started_ms = ?5" \
                  " WHERE id = ?1")                                             \
    S(SET_EXIT, "UPDATE writers SET exited_ms = ?2, exit_code = ?3, crashed = ?4 WHERE id = ?1") \
    S(ADD_ROW, "INSERT INTO history_rows VALUES (?1, ?2, ?3, ?4)")              \
    S(ADD_CELL, "INSERT OR REPLACE INTO history_cells VALUES (?1, ?5, ?2, ?3, ?4)") \
    S(SET_CONFIG, "INSERT OR REPLACE INTO config_cells VALUES (?1, ?2, ?3, ?4)") \
    S(SET_SUMMARY, "INSERT OR REPLACE INTO summary_cells VALUES (?1, ?2, ?3, ?4, 1)") \
    S(FOLLOW_SUMMARY, "INSERT INTO summary_cells VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO UPDATE" \
                      " SET type = excluded.type, value = excluded.value WHERE NOT explicit")

//  The index of a pack and the entries of a manifest.
#define ARTEL_STATEMENTS_FILING(S)                                              \
    S(FIND_PACK, "SELECT id, complete FROM packs WHERE pack = ?1")              \
    S(ADD_PACK, "INSERT INTO packs (pack) VALUES (?1)")                         \
    S(END_PACK, "UPDATE packs SET complete = 1 WHERE id = ?1")                  \
    S(ADD_BLOB, "INSERT OR IGNORE INTO blobs VALUES (?1, ?2, ?3, ?4)")          \
    S(FIND_BLOB, "SELECT p.pack, b.offset, b.size FROM blobs b JOIN packs p ON p.id = b.pack" \
                 " WHERE b.digest = ?1")                                        \
    S(FIND_MANIFEST, "SELECT id, complete FROM manifests WHERE digest = ?1")    \
    S(ADD_MANIFEST, "INSERT INTO manifests (digest, pack) VALUES (?1, ?2)")     \
    S(END_MANIFEST, "UPDATE manifests SET complete = 1 WHERE id = ?1")          \
    S(ADD_ENTRY, "INSERT OR IGNORE INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)") \
    S(FIND_UNUSED, "SELECT id FROM manifests"                                   \
                   " WHERE id NOT IN (SELECT manifest FROM versions) LIMIT 1")  \
    S(DROP_ENTRIES, "DELETE FROM entries WHERE manifest = ?1 AND path IN"       \
                    " (SELECT path FROM entries WHERE manifest = ?1 LIMIT 1000)") \
    S(DROP_MANIFEST, "DELETE FROM manifests WHERE id = ?1")                     \
    S(DROP_BLOB, "DELETE FROM blobs WHERE digest = ?1 AND pack = ?2")           \
    S(DROP_BLOBS, "DELETE FROM blobs WHERE pack = ?1")                          \
    S(DROP_PACK, "DELETE FROM packs WHERE id = ?1")

#define ARTEL_STATEMENTS_ARTIFACTS(S)                                           \
    S(FIND_SEND, "SELECT version, fresh FROM sends WHERE xid = ?1")             \
    S(ADD_SEND, "INSERT INTO sends VALUES (?1, ?2, ?3, ?4)")                    \
    S(FIND_ARTIFACT, "SELECT id, type, next FROM artifacts WHERE name = ?1")    \
    S(ADD_ARTIFACT, "INSERT INTO artifacts (name, type) VALUES (?1, ?2)")       \
    S(SET_NEXT, "UPDATE artifacts SET next = ?2 WHERE id = ?1")                 \
    S(FIND_VERSION, "SELECT version FROM versions WHERE artifact = ?1 AND manifest = ?2") \
    S(ADD_VERSION, "INSERT INTO versions (artifact, version, manifest, files, bytes, description," \
                   " metadata, run, history_step, created_ms)"                  \
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")         \
    S(SET_ALIAS, "INSERT OR REPLACE INTO aliases VALUES (?1, ?2, ?3)")          \
    S(ADD_LINEAGE, "INSERT OR IGNORE INTO lineage VALUES (?1, ?2, ?3, ?4, ?5)") \
    S(FIND_USED, "SELECT a.id, v.version FROM artifacts a JOIN versions v ON v.artifact = a.id" \
                 " JOIN manifests m ON m.id = v.manifest WHERE a.name = ?1 AND m.digest = ?2") \
    S(FIND_ALIAS, "SELECT l.version FROM aliases l JOIN artifacts a ON a.id = l.artifact" \
                  " WHERE a.name = ?1 AND l.alias = ?2")                        \
    S(GET_VERSION, "SELECT v.id, v.version, m.digest, p.pack, a.type, v.files, v.bytes, a.id" \
                   " FROM artifacts a JOIN versions v ON v.artifact = a.id"     \
                   " JOIN manifests m ON m.id = v.manifest LEFT JOIN packs p ON p.id = m.pack" \
                   " WHERE a.name = ?1 AND v.version = ?2")                     \
    S(DROP_VERSION, "DELETE FROM versions WHERE id = ?1")                       \
    S(DROP_ALIASES, "DELETE FROM aliases WHERE artifact = ?1 AND version = ?2") \
    S(MOVE_LATEST, "INSERT OR IGNORE INTO aliases SELECT artifact, 'latest', max(version)" \
                   " FROM versions WHERE artifact = ?1 GROUP BY artifact")

#endif
