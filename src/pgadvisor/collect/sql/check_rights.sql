-- One row: the tables that our role may not SELECT from, and the functions that read the log
-- and that it may not call.
SELECT
    count(*) FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')) AS unreadable_tables,
    count(*) AS tables,
    coalesce(
        array_agg(DISTINCT n.nspname::text)
            FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')),
        ARRAY[]::text[]
    ) AS unreadable_schemas,
    ARRAY(
        SELECT f.signature
        FROM unnest(%(log_functions)s::text[]) WITH ORDINALITY AS f (signature, position)
        WHERE NOT has_function_privilege(f.signature, 'EXECUTE')
        ORDER BY f.position
    ) AS denied_functions
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
