-- One row per common value of a column of these tables, as pg_stats has it, and per constant that
-- bounds a partition. The user's data: compared in memory with hashes, never stored.
SELECT DISTINCT v.value
FROM pg_catalog.pg_stats AS s
JOIN pg_catalog.pg_class AS c ON c.relname = s.tablename AND c.oid = ANY(%(tables)s)
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = s.schemaname
CROSS JOIN LATERAL unnest((s.most_common_vals::text::text[])[:%(most)s]) AS v (value)
WHERE s.most_common_vals IS NOT NULL AND s.avg_width < 100 AND v.value IS NOT NULL
