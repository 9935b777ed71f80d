-- One row: the connected database and the schemas that unqualified names are looked up in.
SELECT
    clock_timestamp() AS captured_at,
    d.datname::text AS database,
    d.oid AS dbid,
    current_schemas(false)::text[] AS search_path
FROM pg_catalog.pg_database AS d
WHERE d.datname = current_database()
