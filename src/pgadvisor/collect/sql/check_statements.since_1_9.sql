-- One row: how full pg_stat_statements is, evictions over the hours since its last reset.
SELECT
    (SELECT count(*) FROM {schema}.pg_stat_statements(false)) AS entries,
    (SELECT count(*) FROM {schema}.pg_stat_statements(false) WHERE queryid IS NULL) AS hidden,
    info.dealloc,
    (extract(epoch FROM clock_timestamp() - info.stats_reset) / 3600)::float8 AS hours,
    (SELECT a.default_version FROM pg_catalog.pg_available_extensions AS a
        WHERE a.name = 'pg_stat_statements') AS available_version
FROM {schema}.pg_stat_statements_info() AS info
