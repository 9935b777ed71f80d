-- one row: executions of a database in the log that were logged in one way, not all of them
select e.target, e.database_name, e.source, e.threshold_ms, e.sample_rate,
       count(*)::integer as executions, min(e.logged_at) as first_at, max(e.logged_at) as last_at
from pgadvisor.executions e
where e.logged_at >= %(since)s and e.logged_at < %(until)s and not e.is_whole
  and (%(target)s::text is null or e.target = %(target)s)
  and (%(database)s::text is null or e.database_name = %(database)s)
group by e.target, e.database_name, e.source, e.threshold_ms, e.sample_rate
order by e.target, e.database_name, executions desc
