-- One row per table, partitioned table or materialized view that is not a system's or temporary.
-- Sizes open relations, so where somebody holds or awaits an exclusive lock they are estimated
-- from relpages instead: we wait for nobody and nobody queues behind us.
WITH locked AS (
    SELECT coalesce(i.indrelid, l.relation) AS oid
    FROM pg_catalog.pg_locks AS l
    LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = l.relation
    WHERE l.locktype = 'relation'
        AND l.mode = 'AccessExclusiveLock'
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
)
SELECT
    c.oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS relkind,
    pg_get_userbyid(c.relowner)::text AS owner,
    c.reltuples::float8 AS reltuples,
    c.relpages,
    coalesce(
        CASE WHEN c.oid NOT IN (SELECT oid FROM locked) THEN pg_total_relation_size(c.oid) END,
        greatest(c.relpages, 0) * current_setting('block_size')::bigint
    ) AS total_bytes,
    coalesce(
        CASE WHEN c.oid NOT IN (SELECT oid FROM locked) THEN pg_table_size(c.oid) END,
        greatest(c.relpages, 0) * current_setting('block_size')::bigint
    ) AS table_bytes,
    c.relispartition AS is_partition,
    c.relrowsecurity AS row_security,
    coalesce(s.seq_scan, 0) AS seq_scan,
    coalesce(s.seq_tup_read, 0) AS seq_tup_read,
    coalesce(s.idx_scan, 0) AS idx_scan,
    coalesce(s.n_tup_ins, 0) AS n_tup_ins,
    coalesce(s.n_tup_upd, 0) AS n_tup_upd,
    coalesce(s.n_tup_del, 0) AS n_tup_del,
    coalesce(s.n_tup_hot_upd, 0) AS n_tup_hot_upd,
    coalesce(s.n_live_tup, 0) AS n_live_tup,
    coalesce(s.n_dead_tup, 0) AS n_dead_tup,
    coalesce(s.n_mod_since_analyze, 0) AS n_mod_since_analyze,
    greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze_at
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
ORDER BY c.oid
