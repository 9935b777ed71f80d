-- One row per log format that the server writes, with its current file. Needs EXECUTE on
-- pg_current_logfile(text): pg_monitor has it from version 17 on.
SELECT f.format, pg_current_logfile(f.format) AS path
FROM (
    SELECT trim(d) AS format
    FROM unnest(string_to_array(current_setting('log_destination'), ',')) AS d
) AS f
WHERE f.format IN ('stderr', 'csvlog', 'jsonlog')
