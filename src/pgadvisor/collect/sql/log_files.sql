-- One row per file of log_directory. Needs EXECUTE on pg_ls_logdir(): pg_monitor has it.
SELECT name, size, modification AS modified_at
FROM pg_catalog.pg_ls_logdir()
