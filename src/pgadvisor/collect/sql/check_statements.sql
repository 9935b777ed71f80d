-- One row: how full pg_stat_statements is. dealloc and hours are unknown before 1.9.
SELECT
    (SELECT count(*) FROM {schema}.pg_stat_statements(false)) AS entries,
    (SELECT count(*) FROM {schema}.pg_stat_statements(false) WHERE queryid IS NULL) AS hidden,
    NULL::bigint AS dealloc,
    NULL::float8 AS hours,
    (SELECT a.default_version FROM pg_catalog.pg_available_extensions AS a
        WHERE a.name = 'pg_stat_statements') AS available_version
