-- one row: what one entry of pg_stat_statements has counted since the last reset
select c.target_id, c.statement_id, c.calls, c.rows, c.total_exec_time, c.sum_squared_exec_time,
       c.shared_blks_hit, c.shared_blks_read, c.temp_blks_read, c.temp_blks_written,
       c.temp_blk_read_time, c.temp_blk_write_time
from statement_counters c
where c.target_id = any (%(target_ids)s::integer[])
