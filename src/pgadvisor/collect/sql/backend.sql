-- One row: the process that answers us.
SELECT pg_backend_pid()
