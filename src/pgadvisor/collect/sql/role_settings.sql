-- One row per setting that ALTER ROLE ... SET gives a role in this database (pg_db_role_setting);
-- one for this database alone wins over one for all. Only settings that the server knows: others,
-- such as app.secret, may hold anything.
SELECT DISTINCT ON (r.rolname, split_part(c.one, '=', 1))
    r.rolname::text AS rolname,
    split_part(c.one, '=', 1) AS name,
    substr(c.one, strpos(c.one, '=') + 1) AS setting
FROM pg_catalog.pg_db_role_setting AS s
CROSS JOIN LATERAL unnest(s.setconfig) AS c (one)
JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
WHERE s.setdatabase IN (
    0, (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
)
    AND split_part(c.one, '=', 1) IN (SELECT k.name FROM pg_catalog.pg_settings AS k)
ORDER BY r.rolname, split_part(c.one, '=', 1), s.setdatabase = 0
