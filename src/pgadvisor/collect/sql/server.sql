-- One row: the server, this database and our role.
SELECT
    current_setting('server_version_num')::int AS server_version_num,
    clock_timestamp() AS captured_at,
    pg_postmaster_start_time() AS postmaster_start_at,
    pg_is_in_recovery() AS in_recovery,
    current_database()::text AS current_database,
    current_user::text AS current_user,
    r.rolsuper AS is_superuser,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS reads_all_stats
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = current_user
