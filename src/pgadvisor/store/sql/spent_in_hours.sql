-- one row: what one entry of pg_stat_statements did over a window of whole hours
select h.target_id, h.statement_id, sum(h.calls) as calls, sum(h.rows) as rows,
       sum(h.total_exec_time) as total_exec_time,
       sum(h.sum_squared_exec_time) as sum_squared_exec_time,
       sum(h.shared_blks_hit) as shared_blks_hit, sum(h.shared_blks_read) as shared_blks_read,
       sum(h.temp_blks_read) as temp_blks_read, sum(h.temp_blks_written) as temp_blks_written,
       sum(h.temp_blk_read_time) as temp_blk_read_time,
       sum(h.temp_blk_write_time) as temp_blk_write_time
from statement_hours h
where h.hour >= %(since)s and h.hour < %(until)s
  and (%(target_ids)s::integer[] is null or h.target_id = any (%(target_ids)s::integer[]))
  and (%(statement_ids)s::bigint[] is null or h.statement_id = any (%(statement_ids)s::bigint[]))
group by h.target_id, h.statement_id
