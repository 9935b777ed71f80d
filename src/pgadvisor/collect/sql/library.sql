-- One row: what is known of an extension that is not ready for use.
-- preload is NULL where our role may not see it.
SELECT
    EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS a WHERE a.name = %(name)s)
        AS is_available,
    (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'shared_preload_libraries')
        AS preload
