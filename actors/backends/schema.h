//  schema.h - the catalogue's tables. Within a major version they only grow.

#ifndef ARTEL_SCHEMA_H
#define ARTEL_SCHEMA_H

enum { ARTEL_SCHEMA_MAJOR = 1, ARTEL_SCHEMA_MINOR = 0 };

#define ARTEL_SCHEMA                                                            \
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"            \
    "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);" \
    "CREATE TABLE runs ("                                                       \
    "  id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, project INTEGER REFERENCES projects," \
    "  name TEXT, run_group TEXT, job_type TEXT, notes TEXT, tags TEXT,"        \
    "  hidden INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'running'," \
    "  exit_code INTEGER, created_ms INTEGER, finished_ms INTEGER,"             \
    "  last_step INTEGER NOT NULL DEFAULT -1, rows INTEGER NOT NULL DEFAULT 0);" \
    "CREATE TABLE writers ("                                                    \
    "  id INTEGER PRIMARY KEY, writer TEXT NOT NULL UNIQUE, run INTEGER REFERENCES runs," \
    "  host TEXT, pid INTEGER, program TEXT, started_ms INTEGER,"               \
    "  exited_ms INTEGER, exit_code INTEGER, crashed INTEGER NOT NULL DEFAULT 0," \
    "  position INTEGER NOT NULL DEFAULT 0);"                                   \
    "CREATE TABLE keys (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);"     \
    "CREATE TABLE history ("                                                    \
    "  run INTEGER NOT NULL, row INTEGER NOT NULL, key INTEGER NOT NULL,"       \
    "  step INTEGER NOT NULL, time_ms INTEGER NOT NULL, type TEXT NOT NULL, value," \
    "  PRIMARY KEY (run, row, key)) WITHOUT ROWID;"                             \
    "CREATE TABLE config (run INTEGER NOT NULL, key INTEGER NOT NULL, type TEXT NOT NULL, value," \
    "  PRIMARY KEY (run, key)) WITHOUT ROWID;"                                  \
    "CREATE TABLE summary (run INTEGER NOT NULL, key INTEGER NOT NULL, type TEXT NOT NULL, value," \
    "  PRIMARY KEY (run, key)) WITHOUT ROWID;"                                  \
    "CREATE TABLE artifacts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL," \
    "  next INTEGER NOT NULL DEFAULT 0);"                                       \
    "CREATE TABLE manifests (digest TEXT PRIMARY KEY, pack TEXT NOT NULL, complete INTEGER NOT NULL" \
    "  DEFAULT 0) WITHOUT ROWID;"                                               \
    "CREATE TABLE versions ("                                                   \
    "  id INTEGER PRIMARY KEY, artifact INTEGER NOT NULL REFERENCES artifacts,"  \
    "  version INTEGER NOT NULL, manifest TEXT NOT NULL, files INTEGER NOT NULL," \
    "  bytes INTEGER NOT NULL, description TEXT, metadata TEXT, run INTEGER REFERENCES runs," \
    "  history_step INTEGER, created_ms INTEGER, UNIQUE (artifact, version));"  \
    "CREATE INDEX versions_manifest ON versions (manifest);"                    \
    "CREATE TABLE sends (xid TEXT PRIMARY KEY, version INTEGER NOT NULL REFERENCES versions," \
    "  fresh INTEGER NOT NULL) WITHOUT ROWID;"                                  \
    "CREATE TABLE aliases (artifact INTEGER NOT NULL REFERENCES artifacts, alias TEXT NOT NULL," \
    "  version INTEGER NOT NULL REFERENCES versions, PRIMARY KEY (artifact, alias)) WITHOUT ROWID;" \
    "CREATE TABLE entries ("                                                    \
    "  manifest TEXT NOT NULL, path TEXT NOT NULL, kind INTEGER NOT NULL, digest TEXT," \
    "  size INTEGER, exec INTEGER, target TEXT, uri TEXT,"                      \
    "  PRIMARY KEY (manifest, path)) WITHOUT ROWID;"                            \
    "CREATE TABLE blobs (digest BLOB PRIMARY KEY, pack TEXT NOT NULL, offset INTEGER NOT NULL," \
    "  size INTEGER NOT NULL) WITHOUT ROWID;"                                   \
    "CREATE TABLE lineage ("                                                    \
    "  run INTEGER NOT NULL REFERENCES runs, version INTEGER NOT NULL REFERENCES versions," \
    "  direction TEXT NOT NULL, time_ms INTEGER, PRIMARY KEY (run, version, direction)) WITHOUT ROWID;" \
    "CREATE TABLE refused (writer INTEGER NOT NULL, counter INTEGER NOT NULL, code INTEGER NOT NULL," \
    "  reason TEXT NOT NULL, PRIMARY KEY (writer, counter)) WITHOUT ROWID;"

#endif
