-- one row: the readings of a target in the window: how many came late, and what was evicted
select r.target, count(*) filter (where r.seconds > 2 * r.due_seconds)::integer as late,
       max(r.seconds) filter (where r.seconds > 2 * r.due_seconds) as longest_seconds,
       min(r.captured_at) filter (where r.seconds > 2 * r.due_seconds) as first_late_at,
       max(r.captured_at) filter (where r.seconds > 2 * r.due_seconds) as last_late_at,
       coalesce(sum(r.evictions), 0)::bigint as evictions,
       min(r.captured_at) filter (where r.evictions > 0) as first_evicted_at,
       max(r.captured_at) filter (where r.evictions > 0) as last_evicted_at,
       max(m.setting)::integer as pgss_max
from (
    select t.id as target_id, t.name as target, s.captured_at,
           coalesce(t.interval_seconds, %(interval)s::float8) as due_seconds,
           extract(epoch from s.captured_at - s.since)::float8 as seconds,
           case when s.since is not null
                then greatest(s.dealloc - lag(s.dealloc) over (partition by t.id order by s.id), 0)
           end as evictions
    from targets t
    join snapshots s on s.target_id = t.id
    where t.removed_at is null and (%(target)s::text is null or t.name = %(target)s)
      and s.captured_at > %(since)s and s.captured_at <= %(until)s
) r
left join settings m on m.target_id = r.target_id and m.name = 'pg_stat_statements.max'
    and m.until is null
group by r.target
order by r.target
