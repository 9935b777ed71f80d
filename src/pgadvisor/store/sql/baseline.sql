-- one row: an entry of the last snapshot
select s.id, s.dbid, s.userid, s.queryid, s.toplevel,
       c.min_exec_time, c.max_exec_time, c.stats_since, {counters}
from statement_counters c
join statements s on s.id = c.statement_id
where c.target_id = %(target_id)s
