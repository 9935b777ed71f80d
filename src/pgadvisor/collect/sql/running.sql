-- One row per statement that has been running for a while: none, because before version 14 pg_stat_activity does not say which statement a backend runs.
SELECT
    a.pid,
    a.query_start AS started_at,
    clock_timestamp() AS captured_at,
    a.datid::bigint AS dbid,
    a.datname::text AS datname,
    a.usename::text AS usename,
    NULL::bigint AS queryid,
    a.query
FROM pg_catalog.pg_stat_activity AS a
WHERE false
    AND a.application_name NOT LIKE %(application_name)s || '%%'
    AND a.query_start < clock_timestamp() - %(longer_than)s::interval
