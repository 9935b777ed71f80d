-- One row per log format the server may write, with its current file and whether we may ask.
SELECT f.format,
       CASE WHEN r.may THEN pg_current_logfile(f.format) END AS path,
       r.may
FROM (SELECT has_function_privilege('pg_catalog.pg_current_logfile(text)', 'EXECUTE') AS may) AS r
CROSS JOIN LATERAL (
    SELECT trim(d) AS format
    FROM unnest(string_to_array(current_setting('log_destination'), ',')) AS d
) AS f
WHERE f.format IN ('stderr', 'csvlog', 'jsonlog')
