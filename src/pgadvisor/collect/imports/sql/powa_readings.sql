-- one row: an entry of pg_stat_statements as PoWA read it at one time, cumulative
select /* pgadvisor */ (record).ts, queryid, dbid, userid, toplevel, {counters}
from (
    select h.queryid, h.dbid, h.userid, {toplevel} as toplevel, r as record
    from {schema}.powa_statements_history h
    cross join lateral unnest(h.records) as r
    where h.srvid = %(srvid)s and h.coalesce_range && tstzrange(%(since)s, %(until)s, '(]')
    union all
    select h.queryid, h.dbid, h.userid, {toplevel}, h.record
    from {schema}.powa_statements_history_current h
    where h.srvid = %(srvid)s
) readings
where (record).ts > %(since)s and (record).ts <= %(until)s
order by (record).ts
