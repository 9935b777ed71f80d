-- One row: what our role may do to read the server's log through it. pg_monitor lists the files
-- (and from version 17 on asks for the current one); reading them is for superusers until granted.
SELECT
    has_function_privilege('pg_catalog.pg_current_logfile(text)', 'EXECUTE') AS may_ask,
    has_function_privilege('pg_catalog.pg_ls_logdir()', 'EXECUTE') AS may_list,
    has_function_privilege(
        'pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)', 'EXECUTE'
    ) AS may_read
