-- one row: what a query did in one bucket of whole hours
select to_timestamp(floor(extract(epoch from h.hour) / %(bucket)s) * %(bucket)s) as at,
       coalesce(sum(h.calls), 0)::bigint as calls,
       coalesce(sum(h.total_exec_time), 0)::float8 as total_exec_time,
       coalesce(sum(h.total_exec_time) / nullif(sum(h.calls), 0), 0)::float8 as mean_exec_time,
       coalesce(sum(h.rows), 0)::bigint as rows
from databases b
join statements s on s.target_id = b.target_id and s.dbid = b.dbid
join statement_hours h on h.target_id = s.target_id and h.statement_id = s.id
where b.target_id = any (%(target_ids)s::integer[]) and b.datname = %(database)s
  and s.queryid = any (%(queryids)s::bigint[])
  and h.hour >= %(since)s and h.hour < %(until)s
group by 1
order by 1
