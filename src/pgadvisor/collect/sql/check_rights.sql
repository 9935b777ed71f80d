-- One row: what our role may do beyond reading statistics, and the tables it may not SELECT from.
SELECT
    count(*) FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')) AS unreadable_tables,
    count(*) AS tables,
    coalesce(
        array_agg(DISTINCT n.nspname::text)
            FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT')),
        ARRAY[]::text[]
    ) AS unreadable_schemas,
    has_function_privilege('pg_catalog.pg_current_logfile()', 'EXECUTE')
        AND has_function_privilege('pg_catalog.pg_ls_logdir()', 'EXECUTE') AS finds_logs,
    has_function_privilege('pg_catalog.pg_read_binary_file(text, bigint, bigint)', 'EXECUTE')
        AS reads_files
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
