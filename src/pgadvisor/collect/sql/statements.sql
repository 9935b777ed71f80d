-- One row per entry of pg_stat_statements 1.8 (PostgreSQL 13) that is not as known, no texts.
-- From the tenth column on, names are those of the record Counters; NULL means zero, which costs
-- less to send. What state, ordinality and the parameters are for: collect/known.py.
SELECT
    dbid,
    userid,
    queryid,
    toplevel,
    min_exec_time,
    max_exec_time,
    NULL::timestamptz AS stats_since,
    state,
    ordinality,
    calls,
    rows,
    total_exec_time,
    calls * (stddev_exec_time * stddev_exec_time + mean_exec_time * mean_exec_time)
        AS sum_squared_exec_time,
    NULLIF(plans, 0) AS plans,
    NULLIF(total_plan_time, 0) AS total_plan_time,
    shared_blks_hit,
    NULLIF(shared_blks_read, 0) AS shared_blks_read,
    NULLIF(shared_blks_dirtied, 0) AS shared_blks_dirtied,
    NULLIF(shared_blks_written, 0) AS shared_blks_written,
    NULLIF(local_blks_hit, 0) AS local_blks_hit,
    NULLIF(local_blks_read, 0) AS local_blks_read,
    NULLIF(local_blks_dirtied, 0) AS local_blks_dirtied,
    NULLIF(local_blks_written, 0) AS local_blks_written,
    NULLIF(temp_blks_read, 0) AS temp_blks_read,
    NULLIF(temp_blks_written, 0) AS temp_blks_written,
    NULLIF(blk_read_time, 0) AS shared_blk_read_time,
    NULLIF(blk_write_time, 0) AS shared_blk_write_time,
    NULLIF(wal_records, 0) AS wal_records,
    NULLIF(wal_fpi, 0) AS wal_fpi,
    NULLIF(wal_bytes::bigint, 0) AS wal_bytes
FROM (
    SELECT
        *,
        true AS toplevel,
        hashfloat8extended(
            total_exec_time,
            hashint8extended(
                queryid,
                hashint8extended(calls + plans, (dbid::bigint << 32) # userid::bigint)
            )
        ) AS state
    FROM {schema}.pg_stat_statements(false) WITH ORDINALITY
) AS entry
WHERE (state IN (SELECT unnest(%(known)b::bigint[]))) IS NOT TRUE
    OR ordinality >= %(total)s
