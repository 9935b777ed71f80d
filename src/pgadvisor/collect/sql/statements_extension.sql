-- One row: whether the server loaded pg_stat_statements, and version and schema of the extension
-- in this database, NULL where it is not installed.
SELECT
    current_setting('pg_stat_statements.max', true) IS NOT NULL AS is_loaded,
    e.extversion AS version,
    n.nspname AS schema
FROM (VALUES ('pg_stat_statements')) AS wanted (name)
LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = wanted.name
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
