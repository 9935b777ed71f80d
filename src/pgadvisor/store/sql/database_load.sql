-- one row: what a database did in one bucket of time
select to_timestamp(floor(extract(epoch from until - interval '1 ms') / %(bucket)s) * %(bucket)s) as at,
       sum(extract(epoch from until - since))::float8 as covered_seconds,
       sum(calls)::bigint as calls, sum(total_exec_time)::float8 as total_exec_time,
       sum(rows)::bigint as rows, sum(shared_blks_hit)::bigint as shared_blks_hit,
       sum(shared_blks_read)::bigint as shared_blks_read,
       sum(temp_blks_written)::bigint as temp_blks_written
from database_intervals
where target_id = %(target_id)s and dbid = %(dbid)s
  and until > %(since)s and until <= %(until)s
group by 1
order by 1
