-- one row: a database of a target with its load over the window; made anew under its name it is
-- the same one
select d.target_id, d.target, d.database_name, max(d.dbid) filter (where d.is_current) as dbid,
       t.server_version_num, t.role,
       coalesce(sum(i.calls), 0)::bigint as calls,
       coalesce(sum(i.total_exec_time), 0)::float8 as total_exec_time,
       coalesce(max(q.queries), 0)::integer as queries, max(i.last_interval_at) as last_interval_at,
       t.last_error, max(d.problem) filter (where d.is_current) as problem
from pgadvisor.databases d
join pgadvisor.targets t on t.target_id = d.target_id
left join (
    select target_id, dbid, sum(calls) as calls, sum(total_exec_time) as total_exec_time,
           max(until) as last_interval_at
    from database_intervals
    where until > %(since)s and until <= %(until)s
    group by 1, 2
) i on i.target_id = d.target_id and i.dbid = d.dbid
left join (
    select q.target_id, b.datname, count(distinct coalesce(q.fingerprint, q.queryid::text)) as queries
    from queries q
    join databases b on b.target_id = q.target_id and b.dbid = q.dbid
    where not q.is_own
    group by 1, 2
) q on q.target_id = d.target_id and q.datname = d.database_name
where (%(target)s::text is null or d.target = %(target)s)
  and (%(database)s::text is null or d.database_name = %(database)s)
group by d.target_id, d.target, d.database_name, t.server_version_num, t.role, t.last_error
order by total_exec_time desc, target, database_name
