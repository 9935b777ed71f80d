-- One row: the server's clock and start; before 1.9 nothing tells of resets and evictions.
SELECT
    clock_timestamp() AS captured_at,
    pg_postmaster_start_time() AS postmaster_start_at,
    NULL::timestamptz AS stats_reset,
    NULL::bigint AS dealloc,
    pg_size_bytes(current_setting('work_mem')) AS work_mem
