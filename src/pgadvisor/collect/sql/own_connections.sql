-- One row: how many connections of pgadvisor with our role the server has, this one among them.
SELECT count(*)
FROM pg_catalog.pg_stat_activity
WHERE application_name = %(application_name)s
    AND usename = current_user
