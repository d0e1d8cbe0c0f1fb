//  floor_artifact_1k DIR - microseconds (median) to make one file of 1 KiB durable
//  as an artifact: it is read and hashed and written with its manifest into a new
//  pack, fdatasync; a record is appended to a journal, fdatasync; a row in SQLite
//  says so, committed with synchronous=FULL. The journal has its room reserved, as ours.

#include "bench.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

enum { FILE_BYTES = 1024, PACK_BYTES = FILE_BYTES + 256, RECORD_BYTES = 400, ROOM = 256 * 1024 };

static void
s_write_pack(const char *source, const char *pack)
{
    static unsigned char data[PACK_BYTES];
    int in = open(source, O_RDONLY);
    BENCH_CHECK(in >= 0 && read(in, data, FILE_BYTES) == FILE_BYTES && close(in) == 0);
    SHA256(data, FILE_BYTES, data + FILE_BYTES);
    SHA256(data + FILE_BYTES, PACK_BYTES - FILE_BYTES, data + PACK_BYTES - 32);
    int out = open(pack, O_CREAT | O_EXCL | O_WRONLY, 0600);
    BENCH_CHECK(out >= 0 && write(out, data, PACK_BYTES) == PACK_BYTES
                && fdatasync(out) == 0 && close(out) == 0);
}

static void
s_append_record(int journal)
{
    static const char record[RECORD_BYTES];
    BENCH_CHECK(write(journal, record, RECORD_BYTES) == RECORD_BYTES && fdatasync(journal) == 0);
}

static void
s_commit(sqlite3 *db, int i)
{
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO versions VALUES (%d, '%064d')", i, i);
    BENCH_CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    static double took[BENCH_SMALL_FILES];
    for (int i = 0; i < BENCH_SMALL_FILES; i++)
        bench_write_file(bench_path(argv[1], "%d.bin", i), FILE_BYTES, (uint64_t) i);
    int journal = open(bench_path(argv[1], "journal", 0), O_CREAT | O_WRONLY, 0600);
    sqlite3 *db;
    BENCH_CHECK(journal >= 0 && posix_fallocate(journal, 0, ROOM) == 0
                && sqlite3_open(bench_path(argv[1], "catalogue.db", 0), &db) == SQLITE_OK
                && sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                "CREATE TABLE versions (version INTEGER PRIMARY KEY, manifest TEXT)",
                                NULL, NULL, NULL) == SQLITE_OK);

    for (int i = 0; i < BENCH_SMALL_FILES; i++) {
        char source[4096];
        snprintf(source, sizeof source, "%s", bench_path(argv[1], "%d.bin", i));
        double start = bench_now();
        s_write_pack(source, bench_path(argv[1], "%d.pack", i));
        s_append_record(journal);
        s_commit(db, i);
        took[i] = (bench_now() - start) * 1e6;
    }
    printf("%.1f\n", bench_median(took, BENCH_SMALL_FILES));
    sqlite3_close(db);
}
