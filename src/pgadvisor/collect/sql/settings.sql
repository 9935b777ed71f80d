-- One row per setting that our role may see, less those that may hold a password: whatever is read
-- here is stored. reset_val: what the server gives a session of our
-- role, without the limits that we set for ourselves.
SELECT
    s.name,
    coalesce(s.reset_val, s.setting, '') AS setting,
    s.unit,
    s.source,
    s.boot_val,
    s.pending_restart
FROM pg_catalog.pg_settings AS s
WHERE s.name NOT IN (
    'primary_conninfo', 'ssl_passphrase_command', 'archive_command', 'archive_cleanup_command',
    'restore_command', 'recovery_end_command'
)
ORDER BY s.name
