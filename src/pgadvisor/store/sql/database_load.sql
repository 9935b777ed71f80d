-- one row: what a database did in one bucket of time
select to_timestamp(floor(extract(epoch from i.until - interval '1 ms') / %(bucket)s) * %(bucket)s) as at,
       sum(i.seconds)::float8 as covered_seconds,
       sum(i.calls)::bigint as calls, sum(i.total_exec_time)::float8 as total_exec_time,
       sum(i.rows)::bigint as rows, sum(i.shared_blks_hit)::bigint as shared_blks_hit,
       sum(i.shared_blks_read)::bigint as shared_blks_read,
       sum(i.temp_blks_written)::bigint as temp_blks_written
from pgadvisor.database_load i
where i.target_id = %(target_id)s::integer and i.database_name = %(database)s::text
  and i.until > %(since)s and i.until <= %(until)s
group by 1
order by 1
