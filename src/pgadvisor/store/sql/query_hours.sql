-- one row: what a query did in one bucket of whole hours
select to_timestamp(floor(extract(epoch from h.hour) / %(bucket)s) * %(bucket)s) as at,
       coalesce(sum(h.calls), 0)::bigint as calls,
       coalesce(sum(h.total_exec_time), 0)::float8 as total_exec_time,
       coalesce(sum(h.total_exec_time) / nullif(sum(h.calls), 0), 0)::float8 as mean_exec_time,
       coalesce(sum(h.rows), 0)::bigint as rows
from statements s
join statement_hours h on h.target_id = s.target_id and h.statement_id = s.id
where s.target_id = %(target_id)s and s.dbid = %(dbid)s and s.queryid = %(queryid)s
  and h.hour >= %(since)s and h.hour < %(until)s
group by 1
order by 1
