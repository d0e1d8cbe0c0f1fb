//  floor_history_delivered DIR - rows of 5 scalars a second, inserted with prepared
//  statements into the store's own schema (a row and its cells), 1,000 rows a
//  transaction, with the pragmas of the store.

#include "bench.h"

#include "schema.h"

#include <sqlite3.h>
#include <stdio.h>

enum { ROWS_PER_COMMIT = 1000 };

static void
s_exec(sqlite3 *db, const char *sql)
{
    BENCH_CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static sqlite3_stmt *
s_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    BENCH_CHECK(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
    return stmt;
}

static void
s_run(sqlite3_stmt *stmt)
{
    BENCH_CHECK(sqlite3_step(stmt) == SQLITE_DONE);
    sqlite3_reset(stmt);
}

static void
s_insert(sqlite3_stmt *row, sqlite3_stmt *cell, int64_t i)
{
    sqlite3_bind_int64(row, 1, 1);
    sqlite3_bind_int64(row, 2, i);
    sqlite3_bind_int64(row, 3, i);
    sqlite3_bind_int64(row, 4, 1700000000000 + i);
    s_run(row);
    for (int k = 0; k < BENCH_CELLS; k++) {
        sqlite3_bind_int64(cell, 1, 1);
        sqlite3_bind_int64(cell, 2, i);
        sqlite3_bind_int64(cell, 3, k + 1);
        sqlite3_bind_int64(cell, 4, 0);
        sqlite3_bind_double(cell, 5, bench_value((uint64_t) i, k));
        s_run(cell);
    }
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    sqlite3 *db;
    BENCH_CHECK(sqlite3_open(bench_path(argv[1], "catalogue.db", 0), &db) == SQLITE_OK);
    s_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
               "PRAGMA wal_autocheckpoint = 2000;" ARTEL_SCHEMA);
    sqlite3_stmt *row = s_prepare(db, "INSERT INTO history_rows VALUES (?, ?, ?, ?)");
    sqlite3_stmt *cell = s_prepare(db, "INSERT INTO history_cells VALUES (?, ?, ?, ?, ?)");

    double start = bench_now();
    for (int64_t i = 0; i < BENCH_DELIVERED_ROWS; i++) {
        if (i % ROWS_PER_COMMIT == 0)
            s_exec(db, "BEGIN IMMEDIATE");
        s_insert(row, cell, i);
        if ((i + 1) % ROWS_PER_COMMIT == 0)
            s_exec(db, "COMMIT");
    }
    printf("%.0f\n", BENCH_DELIVERED_ROWS / (bench_now() - start));
    sqlite3_finalize(row);
    sqlite3_finalize(cell);
    sqlite3_close(db);
}
