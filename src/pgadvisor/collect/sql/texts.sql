-- One row per queryid and database: the normalized text.
-- textsend: bytes in our client encoding, so that a text in another encoding cannot fail us.
SELECT DISTINCT ON (dbid, queryid)
    dbid,
    queryid,
    textsend(query) AS query
FROM {schema}.pg_stat_statements(true)
WHERE queryid = ANY (%(queryids)s::bigint[])
    AND query IS NOT NULL
ORDER BY dbid, queryid, calls DESC
