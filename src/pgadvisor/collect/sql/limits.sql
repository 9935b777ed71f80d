-- One row: the limits of our session (or transaction, where a proxy stands in between), and UTC,
-- so that every instant arrives in it.
SELECT
    set_config('default_transaction_read_only', 'on', %(local)s),
    set_config('statement_timeout', %(statement_timeout)s, %(local)s),
    set_config('lock_timeout', %(lock_timeout)s, %(local)s),
    set_config('idle_in_transaction_session_timeout', '60s', %(local)s),
    set_config('TimeZone', 'UTC', %(local)s)
