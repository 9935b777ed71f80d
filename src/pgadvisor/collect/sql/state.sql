-- One row: what may change about a server between two readings.
-- replay_lag_ms: 0 where all that was received is replayed; null on a primary.
SELECT
    clock_timestamp() AS captured_at,
    pg_is_in_recovery() AS in_recovery,
    CASE
        WHEN NOT pg_is_in_recovery() THEN NULL
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000
    END::float8 AS replay_lag_ms
