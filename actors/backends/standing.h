//  standing.h - how a run stands, as its writers left it: the longest statements.

#ifndef ARTEL_STANDING_H
#define ARTEL_STANDING_H

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

//  Of ranks each is as its last writer; a writer without a rank is an owner of the run,
//  and makes good what ranks left before it came. The run is over when its owner has
//  ended, or when nobody writes and all ranks have ended, or one has ended badly. Its exit
//  code is the first that is not 0.
#define ARTEL_SET_RANKS_STATE                                                   \
    "WITH e AS (SELECT * FROM writers a WHERE run = ?1"                         \
    "  AND NOT EXISTS (SELECT 1 FROM writers b WHERE b.run = ?1 AND b.rank IS NULL" \
    "   AND (b.started_ms, b.id) > (a.last_ms, a.id))"                          \
    "  AND NOT EXISTS (SELECT 1 FROM writers b WHERE b.run = ?1 AND b.rank = a.rank" \
    "   AND (b.started_ms, b.id) > (a.last_ms, a.id))),"                        \
    " o AS (SELECT CASE WHEN count(*) = count(exited_ms) AND NOT max(crashed)"  \
    "   THEN max(exited_ms) END AS at FROM e WHERE rank IS NULL),"              \
    " r AS (SELECT CASE WHEN max(crashed OR exit_code <> 0) OR count(DISTINCT rank) >= ?2" \
    "   THEN (SELECT CASE WHEN count(*) = count(exited_ms) THEN max(exited_ms) END" \
    "    FROM writers WHERE run = ?1) END AS at FROM e),"                       \
    " d AS (SELECT coalesce(o.at, r.at) AS at, (SELECT exit_code FROM e WHERE exited_ms IS NOT NULL" \
    "   ORDER BY exit_code = 0, exited_ms, rank LIMIT 1) AS code FROM o, r)"    \
    " UPDATE runs SET (state, exit_code, finished_ms) = (SELECT"                \
    "  CASE WHEN at IS NULL THEN 'running' WHEN (SELECT max(crashed) FROM e) THEN 'crashed'" \
    "   WHEN code <> 0 THEN 'failed' ELSE 'finished' END,"                      \
    "  CASE WHEN at IS NOT NULL THEN code END, at FROM d) WHERE id = ?1"

#endif
