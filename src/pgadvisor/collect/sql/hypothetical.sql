-- One row per statement: the hypothetical index made of it, in order.
SELECT h.indexrelid, h.indexname::text
FROM unnest(%(statements)s::text[]) WITH ORDINALITY AS s (statement, position)
CROSS JOIN LATERAL {schema}.hypopg_create_index(s.statement) AS h
ORDER BY s.position
