-- one row: the executions of a query in the log that were logged in one way
with logged as (
    select e.source, e.threshold_ms, e.sample_rate, e.duration_ms, e.logged_at
    from executions e
    where e.target_id = any (%(target_ids)s::integer[]) and e.datname = %(database)s
      and e.fingerprint = %(fingerprint)s and e.plan_id is null
      and e.logged_at >= %(since)s and e.logged_at < %(until)s
    union all
    select e.source, e.threshold_ms, e.sample_rate, e.duration_ms, e.logged_at
    from plans p
    join executions e on e.plan_id = p.id
    where p.target_id = any (%(target_ids)s::integer[]) and p.datname = %(database)s
      and (p.queryid = any (%(queryids)s::bigint[]) or p.fingerprint = %(fingerprint)s)
      and e.logged_at >= %(since)s and e.logged_at < %(until)s
)
select source, coalesce(threshold_ms = 0 and sample_rate = 1, false) as is_whole, threshold_ms,
       sample_rate, count(*) as executions, avg(duration_ms)::float8 as mean_duration_ms,
       percentile_cont(0.95) within group (order by duration_ms) as p95_duration_ms,
       max(duration_ms) as max_duration_ms, max(logged_at) as last_logged_at
from logged
group by source, threshold_ms, sample_rate
order by executions desc, source, threshold_ms
