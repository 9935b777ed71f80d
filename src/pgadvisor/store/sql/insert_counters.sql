-- one row: the first baseline of an entry
insert into statement_counters
    (target_id, statement_id, min_exec_time, max_exec_time, stats_since, {counters})
select %(target_id)s, statement_id, min_exec_time, max_exec_time,
       nullif(stats_since, '-infinity'), {values}
from incoming_counters
where statement_id = any(%(new)s)
