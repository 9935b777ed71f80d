-- one row: the new baseline of an entry that the last snapshot had, too
update statement_counters c
set min_exec_time = i.min_exec_time, max_exec_time = i.max_exec_time,
    stats_since = nullif(i.stats_since, '-infinity'), {updates}
from incoming_counters i
where c.target_id = %(target_id)s and c.statement_id = i.statement_id
