-- one row: what one entry of pg_stat_statements did over the intervals that end in a window
select d.target_id, d.statement_id, sum(d.calls) as calls, sum(d.rows) as rows,
       sum(d.total_exec_time) as total_exec_time,
       sum(d.sum_squared_exec_time) as sum_squared_exec_time,
       sum(d.shared_blks_hit) as shared_blks_hit, sum(d.shared_blks_read) as shared_blks_read,
       sum(d.temp_blks_read) as temp_blks_read, sum(d.temp_blks_written) as temp_blks_written,
       sum(d.temp_blk_read_time) as temp_blk_read_time,
       sum(d.temp_blk_write_time) as temp_blk_write_time
from statement_deltas d
where d.until > %(since)s and d.until <= %(until)s
  and (%(target_ids)s::integer[] is null or d.target_id = any (%(target_ids)s::integer[]))
  and (%(statement_ids)s::bigint[] is null or d.statement_id = any (%(statement_ids)s::bigint[]))
group by d.target_id, d.statement_id
