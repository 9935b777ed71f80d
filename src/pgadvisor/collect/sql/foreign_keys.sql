-- One row per foreign key; the copies that PostgreSQL keeps per referenced partition left out.
SELECT
    con.conname::text AS name,
    con.conrelid AS table_oid,
    (
        SELECT array_agg(a.attname::text ORDER BY k.position)
        FROM unnest(con.conkey) WITH ORDINALITY AS k (attnum, position)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = con.conrelid AND a.attnum = k.attnum
    ) AS columns,
    con.confrelid AS referenced_oid,
    (
        SELECT array_agg(a.attname::text ORDER BY k.position)
        FROM unnest(con.confkey) WITH ORDINALITY AS k (attnum, position)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = con.confrelid AND a.attnum = k.attnum
    ) AS referenced_columns,
    con.confdeltype::text AS on_delete,
    con.confupdtype::text AS on_update,
    con.convalidated AS is_validated
FROM pg_catalog.pg_constraint AS con
LEFT JOIN pg_catalog.pg_constraint AS parent ON parent.oid = con.conparentid
WHERE con.contype = 'f'
    AND parent.conrelid IS DISTINCT FROM con.conrelid
ORDER BY con.oid
