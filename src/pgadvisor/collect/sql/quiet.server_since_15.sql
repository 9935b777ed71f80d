-- One row per setting that keeps our own statements out of statistics and logs,
-- where our role may set it.
SELECT set_config(quiet.name, quiet.setting, false)
FROM (VALUES ('pg_stat_statements.track', 'none'), ('auto_explain.log_min_duration', '-1'))
    AS quiet (name, setting)
WHERE current_setting(quiet.name, true) IS NOT NULL
    AND has_parameter_privilege(quiet.name, 'SET')
