-- one row: what a query did in one bucket of time, from intervals
select to_timestamp(floor(extract(epoch from d.until - interval '1 ms') / %(bucket)s) * %(bucket)s) as at,
       coalesce(sum(d.calls), 0)::bigint as calls,
       coalesce(sum(d.total_exec_time), 0)::float8 as total_exec_time,
       coalesce(sum(d.total_exec_time) / nullif(sum(d.calls), 0), 0)::float8 as mean_exec_time,
       coalesce(sum(d.rows), 0)::bigint as rows
from databases b
join statements s on s.target_id = b.target_id and s.dbid = b.dbid
join statement_deltas d on d.target_id = s.target_id and d.statement_id = s.id
where b.target_id = any (%(target_ids)s::integer[]) and b.datname = %(database)s
  and s.queryid = any (%(queryids)s::bigint[])
  and d.until > %(since)s and d.until <= %(until)s
group by 1
order by 1
