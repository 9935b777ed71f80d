-- One row per column of the tables in sql/tables.sql, with statistics where our role may see them.
-- Values (most_common_vals, histogram_bounds) are the user's data and not read.
WITH RECURSIVE base (oid, base_oid) AS (
    SELECT t.oid, t.oid FROM pg_catalog.pg_type AS t WHERE t.typtype <> 'd'
    UNION ALL
    SELECT t.oid, base.base_oid
    FROM pg_catalog.pg_type AS t
    JOIN base ON base.oid = t.typbasetype
    WHERE t.typtype = 'd'
),
-- GetDefaultOpClass of indexcmds.c: the type itself, or one it is binary coercible to
scalar (oid) AS (
    SELECT o.opcintype
    FROM pg_catalog.pg_opclass AS o
    JOIN pg_catalog.pg_am AS am ON am.oid = o.opcmethod AND am.amname = 'btree'
    WHERE o.opcdefault
    UNION
    SELECT k.castsource
    FROM pg_catalog.pg_cast AS k
    JOIN pg_catalog.pg_opclass AS o ON o.opcintype = k.casttarget AND o.opcdefault
    JOIN pg_catalog.pg_am AS am ON am.oid = o.opcmethod AND am.amname = 'btree'
    WHERE k.castmethod = 'b' AND k.castcontext = 'i'
    UNION
    SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.typtype IN ('e', 'r', 'm')
),
sortable (oid) AS (
    SELECT base.oid
    FROM base
    JOIN pg_catalog.pg_type AS t ON t.oid = base.base_oid
    LEFT JOIN base AS element ON element.oid = t.typelem AND t.typlen = -1 AND t.typcategory = 'A'
    WHERE coalesce(element.base_oid, t.oid) IN (SELECT scalar.oid FROM scalar)
)
SELECT
    a.attrelid,
    a.attnum,
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type_name,
    a.attnotnull AS not_null,
    co.collname::text AS collation,
    a.atttypid IN (SELECT sortable.oid FROM sortable) AS btree,
    s.null_frac::float8 AS null_frac,
    s.avg_width,
    s.n_distinct::float8 AS n_distinct,
    s.correlation::float8 AS correlation,
    s.most_common_freqs::float8[] AS most_common_freqs
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_stats AS s
    ON s.schemaname = n.nspname
    AND s.tablename = c.relname
    AND s.attname = a.attname
    AND s.inherited = (c.relkind = 'p')
WHERE c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
    AND a.attnum > 0
    AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
