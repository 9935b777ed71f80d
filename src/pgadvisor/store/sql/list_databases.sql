-- one row: a database of a target with its load over the window
select d.target_id, t.name as target, d.datname as database_name, d.dbid, t.server_version_num,
       coalesce(sum(i.calls), 0)::bigint as calls,
       coalesce(sum(i.total_exec_time), 0)::float8 as total_exec_time,
       (select count(*) from queries q
        where (q.target_id, q.dbid) = (d.target_id, d.dbid) and not q.is_own)::integer as queries,
       max(i.until) as last_interval_at, t.last_error
from databases d
join targets t on t.id = d.target_id
left join database_intervals i on (i.target_id, i.dbid) = (d.target_id, d.dbid)
    and i.until > %(since)s and i.until <= %(until)s
group by d.target_id, t.name, d.datname, d.dbid, t.server_version_num, t.last_error
order by total_exec_time desc, target, database_name
