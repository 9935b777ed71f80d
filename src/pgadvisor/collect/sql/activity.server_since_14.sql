-- One row per group of client backends in the same state, on the same wait, in the same database,
-- running the same statement (query_id needs compute_query_id).
-- longest_ms: of the statement where one runs, of the transaction where one is open.
SELECT
    clock_timestamp() AS captured_at,
    a.datname::text AS datname,
    a.usename::text AS usename,
    a.state,
    a.wait_event_type,
    a.wait_event,
    a.query_id AS queryid,
    count(*) AS backends,
    max(
        extract(epoch FROM clock_timestamp() - CASE
            WHEN a.state = 'active' THEN a.query_start
            WHEN a.state LIKE 'idle in transaction%%' THEN a.xact_start
        END) * 1000
    )::float8 AS longest_ms
FROM pg_catalog.pg_stat_activity AS a
WHERE a.backend_type = 'client backend'
    AND a.pid <> pg_backend_pid()
    AND a.application_name NOT LIKE %(application_name)s || '%%'
GROUP BY a.datname, a.usename, a.state, a.wait_event_type, a.wait_event, a.query_id
