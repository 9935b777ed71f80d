-- One row per entry of pg_stat_statements 1.8 (PostgreSQL 13), no texts.
-- From the eighth column on, names are those of the record Counters.
SELECT
    dbid,
    userid,
    queryid,
    true AS toplevel,
    min_exec_time,
    max_exec_time,
    NULL::timestamptz AS stats_since,
    calls,
    rows,
    total_exec_time,
    calls * (stddev_exec_time * stddev_exec_time + mean_exec_time * mean_exec_time)
        AS sum_squared_exec_time,
    plans,
    total_plan_time,
    shared_blks_hit,
    shared_blks_read,
    shared_blks_dirtied,
    shared_blks_written,
    local_blks_hit,
    local_blks_read,
    local_blks_dirtied,
    local_blks_written,
    temp_blks_read,
    temp_blks_written,
    blk_read_time AS shared_blk_read_time,
    blk_write_time AS shared_blk_write_time,
    wal_records,
    wal_fpi,
    wal_bytes::bigint AS wal_bytes
FROM {schema}.pg_stat_statements(false)
