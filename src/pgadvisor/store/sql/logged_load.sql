-- one row: a statement of one database with the executions that the log shows of it. 'auto_explain'
-- sorts before 'log_min_duration', which is taken where there is any.
with shown as (
    select source, datname, fingerprint, max(queryid) as queryid, count(*) as executions,
           sum(duration_ms) as total_duration_ms, max(duration_ms) as max_duration_ms,
           max(plan_id) as plan_id,
           case when count(threshold_ms) = count(*) then max(threshold_ms) end as threshold_ms,
           case when count(sample_rate) = count(*) then min(sample_rate) end as sample_rate
    from executions
    where target_id = %(target_id)s
      and source = (select max(source) from executions where target_id = %(target_id)s)
    group by source, datname, fingerprint
    order by total_duration_ms desc
    limit %(most)s
)
select s.source, s.datname, s.fingerprint, s.queryid::text as queryid,
       coalesce(l.query, p.example_query, '') as query, s.executions, s.total_duration_ms,
       s.total_duration_ms / s.executions as mean_duration_ms, s.max_duration_ms, s.threshold_ms,
       s.sample_rate
from shown s
left join logged_statements l on l.target_id = %(target_id)s
    and (l.datname, l.fingerprint) = (s.datname, s.fingerprint)
left join plans p on p.id = s.plan_id
order by s.total_duration_ms desc
