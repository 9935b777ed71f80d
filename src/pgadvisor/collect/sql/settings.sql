-- One row per setting that our role may see. reset_val: what the server gives a session of our
-- role, without the limits that we set for ourselves.
SELECT
    s.name,
    coalesce(s.reset_val, s.setting, '') AS setting,
    s.unit,
    s.source,
    s.boot_val,
    s.pending_restart
FROM pg_catalog.pg_settings AS s
ORDER BY s.name
