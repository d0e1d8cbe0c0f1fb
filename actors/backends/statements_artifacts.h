//  statements_artifacts.h - those of the statements (statements.h) that are about manifests,
//  blobs and versions.

#ifndef ARTEL_STATEMENTS_ARTIFACTS_H
#define ARTEL_STATEMENTS_ARTIFACTS_H

//  The index of a pack and the entries of a manifest.
#define ARTEL_STATEMENTS_FILING(S)                                              \
    S(FIND_PACK, "SELECT id, complete FROM packs WHERE pack = ?1")              \
    S(ADD_PACK, "INSERT INTO packs (pack) VALUES (?1)")                         \
    S(END_PACK, "UPDATE packs SET complete = 1 WHERE id = ?1")                  \
    S(ADD_BLOB, "INSERT OR IGNORE INTO blobs (digest, pack, offset, size)"      \
                " VALUES (?1, ?2, ?3, ?4)")                                     \
    S(FIND_BLOB, "SELECT p.pack, b.offset, b.size FROM blobs b JOIN packs p ON p.id = b.pack" \
                 " WHERE b.digest = ?1")                                        \
    S(FIND_MANIFEST, "SELECT id, complete FROM manifests WHERE digest = ?1")    \
    S(ADD_MANIFEST, "INSERT INTO manifests (digest, pack) VALUES (?1, ?2)")     \
    S(END_MANIFEST, "UPDATE manifests SET complete = 1 WHERE id = ?1")          \
    S(ADD_ENTRY, "INSERT OR IGNORE INTO entries (manifest, path, kind, digest, size, exec, target, uri)" \
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                    \
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
    S(ADD_SEND, "INSERT INTO sends (xid, artifact, version, fresh) VALUES (?1, ?2, ?3, ?4)") \
    S(FIND_ARTIFACT, "SELECT id, type, next FROM artifacts WHERE name = ?1")    \
    S(ADD_ARTIFACT, "INSERT INTO artifacts (name, type) VALUES (?1, ?2)")       \
    S(SET_NEXT, "UPDATE artifacts SET next = ?2 WHERE id = ?1")                 \
    S(FIND_VERSION, "SELECT version FROM versions WHERE artifact = ?1 AND manifest = ?2") \
    S(ADD_VERSION, "INSERT INTO versions (artifact, version, manifest, files, bytes, description," \
                   " metadata, run, history_step, created_ms)"                  \
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")         \
    S(SET_ALIAS, "INSERT OR REPLACE INTO aliases (artifact, alias, version) VALUES (?1, ?2, ?3)") \
    S(ADD_LINEAGE, "INSERT OR IGNORE INTO lineage (run, artifact, version, direction, time_ms)" \
                   " VALUES (?1, ?2, ?3, ?4, ?5)")                              \
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
    S(MOVE_LATEST, "INSERT OR IGNORE INTO aliases (artifact, alias, version) SELECT artifact, 'latest', max(version)" \
                   " FROM versions WHERE artifact = ?1 GROUP BY artifact")

#endif
