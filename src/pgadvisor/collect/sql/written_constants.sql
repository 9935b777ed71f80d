-- One row per expression with constants in the catalog: of indexes and of the bounds of partitions.
SELECT pg_get_expr(i.indpred, i.indrelid) AS expression
FROM pg_catalog.pg_index AS i
WHERE i.indrelid = ANY(%(tables)s) AND i.indpred IS NOT NULL
UNION
SELECT pg_get_expr(i.indexprs, i.indrelid)
FROM pg_catalog.pg_index AS i
WHERE i.indrelid = ANY(%(tables)s) AND i.indexprs IS NOT NULL
UNION
SELECT pg_get_expr(c.relpartbound, c.oid)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid
WHERE h.inhparent = ANY(%(tables)s) AND c.relpartbound IS NOT NULL
