-- One row: whether our role may ask for the names of the current log files.
SELECT has_function_privilege('pg_catalog.pg_current_logfile(text)', 'EXECUTE') AS may
