-- one row: a statement's hour, added to what the hour had; a span over several hours is divided in
-- proportion, and all counters go where the calls go, so that whole numbers and means stay right
insert into statement_hours as h (target_id, statement_id, hour, {counters})
select %(target_id)s, d.statement_id, p.hour, {sums}
from incoming_history d
cross join lateral generate_series(date_trunc('hour', d.since, 'UTC'),
                                   d.until - interval '1 microsecond', interval '1 hour') as p (hour)
cross join lateral (
    select extract(epoch from greatest(p.hour - d.since, interval '0'))::float8 as before,
           extract(epoch from least(p.hour + interval '1 hour', d.until) - d.since)::float8 as upto,
           extract(epoch from d.until - d.since)::float8 as seconds,
           coalesce(nullif(d.calls, 0), nullif(d.plans, 0), 1)::float8 as whole
) w
cross join lateral (
    select round(w.whole * (w.before / w.seconds)) / w.whole as share_before,
           round(w.whole * (w.upto / w.seconds)) / w.whole as share
) s
where s.share > s.share_before
group by d.statement_id, p.hour
order by d.statement_id, p.hour
on conflict (target_id, statement_id, hour) do update set {updates}
