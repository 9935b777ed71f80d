-- One row: the tables that our role may not SELECT from.
SELECT
    count(*) FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')) AS unreadable_tables,
    count(*) AS tables,
    coalesce(
        array_agg(DISTINCT n.nspname::text)
            FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')),
        ARRAY[]::text[]
    ) AS unreadable_schemas
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
