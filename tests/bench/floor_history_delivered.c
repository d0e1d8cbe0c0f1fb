//  floor_history_delivered DIR - rows of 5 scalars a second, inserted with one
//  prepared statement into the store's own schema, 1,000 rows a transaction, with
//  the store's pragmas.

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

static void
s_insert_row(sqlite3_stmt *insert, int64_t i)
{
    for (int k = 0; k < BENCH_CELLS; k++) {
        sqlite3_bind_int64(insert, 1, 1);
        sqlite3_bind_int64(insert, 2, i);
        sqlite3_bind_int64(insert, 3, k + 1);
        sqlite3_bind_int64(insert, 4, i);
        sqlite3_bind_int64(insert, 5, 1700000000000 + i);
        sqlite3_bind_text(insert, 6, "double", 6, SQLITE_STATIC);
        sqlite3_bind_double(insert, 7, bench_value((uint64_t) i, k));
        BENCH_CHECK(sqlite3_step(insert) == SQLITE_DONE);
        sqlite3_reset(insert);
    }
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    sqlite3 *db;
    BENCH_CHECK(sqlite3_open(bench_path(argv[1], "catalogue.db", 0), &db) == SQLITE_OK);
    s_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" ARTEL_SCHEMA);
    sqlite3_stmt *insert;
    BENCH_CHECK(sqlite3_prepare_v2(db,
        "INSERT INTO history (run, row, key, step, time_ms, type, value) VALUES (?,?,?,?,?,?,?)",
        -1, &insert, NULL) == SQLITE_OK);

    double start = bench_now();
    for (int64_t i = 0; i < BENCH_DELIVERED_ROWS; i++) {
        if (i % ROWS_PER_COMMIT == 0)
            s_exec(db, "BEGIN IMMEDIATE");
        s_insert_row(insert, i);
        if ((i + 1) % ROWS_PER_COMMIT == 0)
            s_exec(db, "COMMIT");
    }
    printf("%.0f\n", BENCH_DELIVERED_ROWS / (bench_now() - start));
    sqlite3_finalize(insert);
    sqlite3_close(db);
}
