-- One row per partition and table above it, by name: plans show the partitions only.
WITH RECURSIVE above (child, parent) AS (
    SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits AS i
    UNION
    SELECT above.child, i.inhparent
    FROM above
    JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = above.parent
)
SELECT child.relname::text, parent.relname::text
FROM above
JOIN pg_catalog.pg_class AS child ON child.oid = above.child AND child.relkind IN ('r', 'p')
JOIN pg_catalog.pg_class AS parent ON parent.oid = above.parent
