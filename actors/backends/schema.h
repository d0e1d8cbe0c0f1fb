//  schema.h - the catalogue's tables and views (every column: docs/store.md).
//
//  Within a major version they only grow. Tables hold ids; what people ask for
//  has a view with names in it.

#ifndef ARTEL_SCHEMA_H
#define ARTEL_SCHEMA_H

enum { ARTEL_SCHEMA_MAJOR = 1, ARTEL_SCHEMA_MINOR = 1 };

//  A row is of the rank that the nearest entry at or before it names.
#define ARTEL_SCHEMA_RANKS                                                      \
    "CREATE INDEX writers_rank ON writers (run, rank);"                         \
    "CREATE TABLE history_ranks ("                                              \
    "  run INTEGER NOT NULL REFERENCES runs, row INTEGER NOT NULL, rank INTEGER," \
    "  PRIMARY KEY (run, row)) WITHOUT ROWID;"

#define ARTEL_SCHEMA_RUNS                                                       \
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"            \
    "CREATE TABLE projects (project TEXT PRIMARY KEY, created_ms INTEGER) WITHOUT ROWID;" \
    "CREATE TABLE runs ("                                                       \
    "  id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, project TEXT REFERENCES projects," \
    "  name TEXT, run_group TEXT, job_type TEXT, notes TEXT,"                   \
    "  hidden INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'running'," \
    "  exit_code INTEGER, created_ms INTEGER, finished_ms INTEGER,"             \
    "  rows INTEGER NOT NULL DEFAULT 0, last_step INTEGER, world INTEGER);"     \
    "CREATE TABLE tags (run INTEGER NOT NULL REFERENCES runs, tag TEXT NOT NULL," \
    "  PRIMARY KEY (run, tag)) WITHOUT ROWID;"                                  \
    "CREATE TABLE writers ("                                                    \
    "  id INTEGER PRIMARY KEY, writer BLOB NOT NULL UNIQUE,"                    \
    "  run INTEGER NOT NULL REFERENCES runs, host TEXT, pid INTEGER, program TEXT," \
    "  started_ms INTEGER, last_ms INTEGER, exited_ms INTEGER, exit_code INTEGER," \
    "  crashed INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL DEFAULT 0, rank INTEGER);" \
    ARTEL_SCHEMA_RANKS                                                          \
    "CREATE TABLE refused ("                                                    \
    "  writer INTEGER NOT NULL REFERENCES writers, counter INTEGER NOT NULL,"   \
    "  record INTEGER NOT NULL, message TEXT, code INTEGER NOT NULL, reason TEXT NOT NULL," \
    "  xid BLOB, PRIMARY KEY (writer, counter, record)) WITHOUT ROWID;"         \
    "CREATE INDEX refused_xid ON refused (xid) WHERE xid IS NOT NULL;"          \
    "CREATE TABLE lost ("                                                       \
    "  writer INTEGER NOT NULL REFERENCES writers, from_counter INTEGER NOT NULL," \
    "  to_counter INTEGER NOT NULL, reason TEXT NOT NULL,"                      \
    "  PRIMARY KEY (writer, from_counter)) WITHOUT ROWID;"

#define ARTEL_SCHEMA_VALUES                                                     \
    "CREATE TABLE keys (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);"     \
    "CREATE TABLE history_rows ("                                               \
    "  run INTEGER NOT NULL REFERENCES runs, row INTEGER NOT NULL,"             \
    "  step INTEGER NOT NULL, time_ms INTEGER NOT NULL,"                        \
    "  PRIMARY KEY (run, row)) WITHOUT ROWID;"                                  \
    "CREATE TABLE history_cells ("                                              \
    "  run INTEGER NOT NULL, row INTEGER NOT NULL, key INTEGER NOT NULL REFERENCES keys," \
    "  type INTEGER NOT NULL, value, PRIMARY KEY (run, row, key)) WITHOUT ROWID;" \
    "CREATE TABLE config_cells ("                                               \
    "  run INTEGER NOT NULL REFERENCES runs, key INTEGER NOT NULL REFERENCES keys," \
    "  type INTEGER NOT NULL, value, PRIMARY KEY (run, key)) WITHOUT ROWID;"    \
    "CREATE TABLE summary_cells ("                                              \
    "  run INTEGER NOT NULL REFERENCES runs, key INTEGER NOT NULL REFERENCES keys," \
    "  type INTEGER NOT NULL, value, explicit INTEGER NOT NULL,"                \
    "  PRIMARY KEY (run, key)) WITHOUT ROWID;"

#define ARTEL_SCHEMA_ARTIFACTS                                                  \
    "CREATE TABLE packs (id INTEGER PRIMARY KEY, pack TEXT NOT NULL UNIQUE,"    \
    "  complete INTEGER NOT NULL DEFAULT 0);"                                   \
    "CREATE TABLE blobs ("                                                      \
    "  digest BLOB PRIMARY KEY, pack INTEGER NOT NULL REFERENCES packs,"        \
    "  offset INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;"          \
    "CREATE TABLE manifests ("                                                  \
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE,"      \
    "  pack INTEGER REFERENCES packs, complete INTEGER NOT NULL DEFAULT 0);"    \
    "CREATE TABLE entries ("                                                    \
    "  manifest INTEGER NOT NULL REFERENCES manifests, path TEXT NOT NULL,"     \
    "  kind INTEGER NOT NULL, digest BLOB, size INTEGER, exec INTEGER, target TEXT, uri TEXT," \
    "  PRIMARY KEY (manifest, path)) WITHOUT ROWID;"                            \
    "CREATE TABLE artifacts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE," \
    "  type TEXT NOT NULL, next INTEGER NOT NULL DEFAULT 0);"                   \
    "CREATE TABLE versions ("                                                   \
    "  id INTEGER PRIMARY KEY, artifact INTEGER NOT NULL REFERENCES artifacts," \
    "  version INTEGER NOT NULL, manifest INTEGER NOT NULL REFERENCES manifests," \
    "  files INTEGER NOT NULL, bytes INTEGER NOT NULL, description TEXT, metadata TEXT," \
    "  run INTEGER NOT NULL REFERENCES runs, history_step INTEGER, created_ms INTEGER," \
    "  UNIQUE (artifact, version), UNIQUE (artifact, manifest));"               \
    "CREATE INDEX versions_manifest ON versions (manifest);"                    \
    "CREATE TABLE aliases ("                                                    \
    "  artifact INTEGER NOT NULL REFERENCES artifacts, alias TEXT NOT NULL,"    \
    "  version INTEGER NOT NULL, PRIMARY KEY (artifact, alias)) WITHOUT ROWID;" \
    "CREATE TABLE sends ("                                                      \
    "  xid BLOB PRIMARY KEY, artifact INTEGER NOT NULL REFERENCES artifacts,"   \
    "  version INTEGER NOT NULL, fresh INTEGER NOT NULL) WITHOUT ROWID;"        \
    "CREATE TABLE lineage ("                                                    \
    "  run INTEGER NOT NULL REFERENCES runs, artifact INTEGER NOT NULL REFERENCES artifacts," \
    "  version INTEGER NOT NULL, direction TEXT NOT NULL, time_ms INTEGER,"     \
    "  PRIMARY KEY (run, artifact, version, direction)) WITHOUT ROWID;"         \
    "CREATE INDEX lineage_artifact ON lineage (artifact, version);"

//  A NaN is a NULL of type 'double'.
#define ARTEL_SCHEMA_TYPE(c)                                                    \
    "CASE " c ".type WHEN 0 THEN 'double' WHEN 1 THEN 'int' WHEN 2 THEN 'bool' ELSE 'string' END"

#define ARTEL_SCHEMA_HISTORY                                                    \
    "CREATE VIEW history AS"                                                    \
    "  SELECT r.run, h.row, h.step, h.time_ms, k.key, " ARTEL_SCHEMA_TYPE("c") " AS type, c.value," \
    "  (SELECT n.rank FROM history_ranks n WHERE n.run = h.run AND n.row <= h.row" \
    "   ORDER BY n.row DESC LIMIT 1) AS rank"                                   \
    "  FROM runs r JOIN history_rows h ON h.run = r.id"                         \
    "  CROSS JOIN history_cells c ON c.run = h.run AND c.row = h.row JOIN keys k ON k.id = c.key;"

#define ARTEL_SCHEMA_VIEWS                                                      \
    ARTEL_SCHEMA_HISTORY                                                        \
    "CREATE VIEW config AS"                                                     \
    "  SELECT r.run, k.key, " ARTEL_SCHEMA_TYPE("c") " AS type, c.value"        \
    "  FROM runs r JOIN config_cells c ON c.run = r.id JOIN keys k ON k.id = c.key;" \
    "CREATE VIEW summary AS"                                                    \
    "  SELECT r.run, k.key, " ARTEL_SCHEMA_TYPE("c") " AS type, c.value, c.explicit" \
    "  FROM runs r JOIN summary_cells c ON c.run = r.id JOIN keys k ON k.id = c.key;" \
    "CREATE VIEW artifact_versions AS"                                          \
    "  SELECT a.name, a.type, v.version, lower(hex(m.digest)) AS digest, v.files, v.bytes," \
    "  (SELECT group_concat(alias, ' ') FROM aliases l"                         \
    "   WHERE l.artifact = v.artifact AND l.version = v.version) AS aliases,"   \
    "  r.run, v.history_step, v.created_ms, v.description, v.metadata"          \
    "  FROM versions v JOIN artifacts a ON a.id = v.artifact"                   \
    "  JOIN manifests m ON m.id = v.manifest JOIN runs r ON r.id = v.run;"      \
    "CREATE VIEW artifact_entries AS"                                           \
    "  SELECT a.name, v.version, e.path, CASE e.kind WHEN 1 THEN 'file' WHEN 2 THEN 'link'" \
    "  WHEN 3 THEN 'dir' ELSE 'reference' END AS kind, lower(hex(e.digest)) AS digest," \
    "  e.size, e.exec, e.target, e.uri"                                         \
    "  FROM versions v JOIN artifacts a ON a.id = v.artifact"                   \
    "  JOIN entries e ON e.manifest = v.manifest;"                              \
    "CREATE VIEW artifact_lineage AS"                                           \
    "  SELECT r.run, l.direction, a.name, l.version, l.time_ms"                 \
    "  FROM lineage l JOIN runs r ON r.id = l.run JOIN artifacts a ON a.id = l.artifact;"

#define ARTEL_SCHEMA                                                            \
    ARTEL_SCHEMA_RUNS ARTEL_SCHEMA_VALUES ARTEL_SCHEMA_ARTIFACTS ARTEL_SCHEMA_VIEWS

//  From minor 0 to 1: ranks. Who only reads an older file sees what it lacks as NULL.
#define ARTEL_SCHEMA_GROW                                                       \
    "ALTER TABLE runs ADD COLUMN world INTEGER;"                                \
    "ALTER TABLE writers ADD COLUMN rank INTEGER;"                              \
    "DROP VIEW history; DROP INDEX writers_run;"                                \
    ARTEL_SCHEMA_RANKS ARTEL_SCHEMA_HISTORY                                     \
    "UPDATE meta SET value = 1 WHERE key = 'minor';"
#define ARTEL_SCHEMA_SHADE                                                      \
    "CREATE TEMP VIEW runs AS SELECT *, NULL AS world FROM main.runs;"          \
    "CREATE TEMP VIEW writers AS SELECT *, NULL AS rank FROM main.writers;"     \
    "CREATE TEMP VIEW history AS SELECT *, NULL AS rank FROM main.history;"

#endif
