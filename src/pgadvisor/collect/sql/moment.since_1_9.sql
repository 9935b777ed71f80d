-- One row: the server's clock and start, when the statistics were reset, evictions since then.
SELECT
    clock_timestamp() AS captured_at,
    pg_postmaster_start_time() AS postmaster_start_at,
    info.stats_reset,
    info.dealloc,
    pg_size_bytes(current_setting('work_mem')) AS work_mem
FROM {schema}.pg_stat_statements_info() AS info
