-- One row per index of the tables in sql/tables.sql. key_columns has NULL for an expression.
-- Size 0 and a predicate not shown where somebody holds or awaits an exclusive lock.
WITH locked AS (
    SELECT l.relation AS oid
    FROM pg_catalog.pg_locks AS l
    WHERE l.locktype = 'relation'
        AND l.mode = 'AccessExclusiveLock'
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
)
SELECT
    i.indexrelid AS oid,
    i.indrelid AS table_oid,
    n.nspname::text AS schema,
    ic.relname::text AS name,
    am.amname::text AS access_method,
    key.columns[:i.indnkeyatts] AS key_columns,
    key.columns[i.indnkeyatts + 1:] AS include_columns,
    key.descending[:i.indnkeyatts] AS descending,
    i.indisunique AS is_unique,
    i.indisprimary AS is_primary,
    i.indisvalid AND i.indisready AS is_valid,
    EXISTS (
        SELECT
        FROM pg_catalog.pg_constraint AS con
        WHERE con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
    ) AS is_constraint,
    CASE
        WHEN i.indpred IS NULL THEN NULL
        WHEN held.is_held THEN '(locked)'
        ELSE pg_get_expr(i.indpred, i.indrelid)
    END AS predicate,
    CASE WHEN held.is_held THEN '' ELSE coalesce(pg_get_indexdef(i.indexrelid), '') END
        AS definition,
    CASE WHEN held.is_held THEN 0 ELSE coalesce(pg_relation_size(i.indexrelid), 0) END
        AS total_bytes,
    coalesce(pg_stat_get_numscans(i.indexrelid), 0) AS idx_scan
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = ic.relnamespace
JOIN pg_catalog.pg_am AS am ON am.oid = ic.relam
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM locked WHERE locked.oid IN (i.indexrelid, i.indrelid)) AS is_held
) AS held
CROSS JOIN LATERAL (
    SELECT
        array_agg(a.attname::text ORDER BY k.position) AS columns,
        -- bit 0 of indoption is DESC (INDOPTION_DESC of pg_index.h); INCLUDE columns have none
        array_agg(coalesce(k.option, 0) & 1 = 1 ORDER BY k.position) AS descending
    FROM unnest(i.indkey::int2[], i.indoption::int2[])
        WITH ORDINALITY AS k (attnum, option, position)
    LEFT JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
) AS key
WHERE c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
ORDER BY i.indexrelid
