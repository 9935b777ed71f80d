-- One row per query that is among the first 100 by something, as pgwatch's metric stat_statements has it,
-- for pg_stat_statements 1.11 and newer. Equivalent to cybertec-postgresql/pgwatch,
-- internal/metrics/metrics.yaml (2026-08).
WITH by_query AS (
    SELECT
        queryid::text AS tag_queryid,
        array_to_string(array_agg(DISTINCT quote_ident(pg_get_userbyid(userid))), ',') AS users,
        sum(calls)::int8 AS calls,
        round(sum(total_exec_time)::numeric, 3)::float8 AS total_time,
        sum(rows)::int8 AS rows,
        sum(shared_blks_hit)::int8 AS shared_blks_hit,
        sum(shared_blks_read)::int8 AS shared_blks_read,
        sum(shared_blks_written)::int8 AS shared_blks_written,
        sum(shared_blks_dirtied)::int8 AS shared_blks_dirtied,
        sum(temp_blks_read)::int8 AS temp_blks_read,
        sum(temp_blks_written)::int8 AS temp_blks_written,
        round((sum(shared_blk_read_time) + sum(local_blk_read_time))::numeric, 3)::float8
            AS blk_read_time,
        round((sum(shared_blk_write_time) + sum(local_blk_write_time))::numeric, 3)::float8
            AS blk_write_time,
        round(sum(temp_blk_read_time)::numeric, 3)::float8 AS temp_blk_read_time,
        round(sum(temp_blk_write_time)::numeric, 3)::float8 AS temp_blk_write_time,
        sum(wal_fpi)::int8 AS wal_fpi,
        sum(wal_bytes)::int8 AS wal_bytes,
        round(sum(total_plan_time)::numeric, 3)::float8 AS total_plan_time,
        round(sum(jit_generation_time)::numeric, 3)::float8 AS jit_generation_time,
        max(query::varchar(8000)) AS query
    FROM pg_stat_statements
    WHERE calls > 5
        AND total_exec_time > 5
        AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND NOT upper(query::varchar(50)) LIKE ANY (ARRAY[
            'DEALLOCATE%', 'SET %', 'RESET %', 'BEGIN%', 'BEGIN;', 'COMMIT%', 'END%', 'ROLLBACK%',
            'SHOW%'
        ])
    GROUP BY queryid
)
SELECT (extract(epoch FROM now()) * 1e9)::int8 AS epoch_ns, first_ones.*
FROM (
    (SELECT * FROM by_query WHERE total_time > 0 ORDER BY total_time DESC LIMIT 100)
    UNION
    (SELECT * FROM by_query ORDER BY calls DESC LIMIT 100)
    UNION
    (SELECT * FROM by_query WHERE shared_blks_read > 0 ORDER BY shared_blks_read DESC LIMIT 100)
    UNION
    (SELECT * FROM by_query WHERE shared_blks_written > 0 ORDER BY shared_blks_written DESC LIMIT 100)
    UNION
    (SELECT * FROM by_query WHERE temp_blks_read > 0 ORDER BY temp_blks_read DESC LIMIT 100)
    UNION
    (SELECT * FROM by_query WHERE temp_blks_written > 0 ORDER BY temp_blks_written DESC LIMIT 100)
    UNION
    (SELECT * FROM by_query WHERE jit_generation_time > 0 ORDER BY jit_generation_time DESC LIMIT 100)
) AS first_ones
