-- one row: the time of all top-level statements of a database over a window
select coalesce(sum(i.total_exec_time), 0)::float8 as total_exec_time
from database_intervals i
join databases b on b.target_id = i.target_id and b.dbid = i.dbid
where i.target_id = any (%(target_ids)s::integer[]) and b.datname = %(database)s
  and i.until > %(since)s and i.until <= %(until)s
