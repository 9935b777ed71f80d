-- one row: how much of the window is known of a target, from when it was first seen
select t.name as target, t.paused_at, greatest(t.first_seen_at, %(since)s) as since,
       extract(epoch from %(now)s - greatest(t.first_seen_at, %(since)s))::float8 as expected_seconds,
       coalesce((select sum(h.covered_seconds) from target_hours h
                 where h.target_id = t.id and h.hour >= %(since)s and h.hour < %(until)s), 0)::float8
           as covered_seconds,
       (select max(h.hour) from target_hours h
        where h.target_id = t.id and h.hour < %(until)s) as last_hour
from targets t
where t.kind = 'server' and t.removed_at is null and t.first_seen_at < %(now)s
  and (%(target)s::text is null or t.name = %(target)s)
order by t.name
