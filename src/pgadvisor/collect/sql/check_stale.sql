-- One row per table whose statistics are missing or old, largest first: a fifth of the rows
-- changed since ANALYZE, twice what autovacuum_analyze_scale_factor waits for by default.
SELECT s.schemaname::text AS schema, s.relname::text AS name
FROM pg_catalog.pg_stat_all_tables AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
WHERE c.relkind IN ('r', 'm')
    AND c.relpersistence <> 't'
    AND s.schemaname <> 'information_schema'
    AND s.schemaname !~ '^pg_'
    AND s.n_live_tup > 1000
    AND (
        coalesce(s.last_analyze, s.last_autoanalyze) IS NULL
        OR s.n_mod_since_analyze > 0.2 * s.n_live_tup
    )
ORDER BY s.n_live_tup DESC
