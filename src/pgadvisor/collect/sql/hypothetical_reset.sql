-- One row: every hypothetical index of the session dropped.
SELECT {schema}.hypopg_reset()
