-- One row: the bytes of a log file from an offset on, null when the file is gone.
SELECT pg_catalog.pg_read_binary_file(
    %(path)s, %(offset)s::bigint, %(length)s::bigint, true
) AS bytes
