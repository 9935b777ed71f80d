-- One row per statement of a client backend that has been running for a while, with its text.
SELECT
    a.pid,
    a.query_start AS started_at,
    clock_timestamp() AS captured_at,
    a.datid::bigint AS dbid,
    a.datname::text AS datname,
    a.usename::text AS usename,
    a.query_id AS queryid,
    a.query
FROM pg_catalog.pg_stat_activity AS a
WHERE a.backend_type = 'client backend'
    AND a.state = 'active'
    AND a.pid <> pg_backend_pid()
    AND a.application_name NOT LIKE %(application_name)s || '%%'
    AND a.query_id IS NOT NULL
    AND a.datid IS NOT NULL
    AND a.query_start < clock_timestamp() - %(longer_than)s::interval
    AND octet_length(a.query) < pg_size_bytes(current_setting('track_activity_query_size')) - 1
    AND a.query NOT LIKE '<%%>'
