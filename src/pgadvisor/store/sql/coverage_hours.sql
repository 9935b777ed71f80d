-- one row: the seconds that intervals of a target cover in one bucket of whole hours, divided
-- where an interval lies across two of them, as the hourly roll-up divides its counters
select b.at,
       sum(extract(epoch from least(s.captured_at, b.at + make_interval(secs => %(bucket)s))
                              - greatest(s.since, b.at)))::float8 as covered_seconds
from snapshots s
cross join lateral generate_series(
    to_timestamp(floor(extract(epoch from s.since) / %(bucket)s) * %(bucket)s),
    s.captured_at - interval '1 ms', make_interval(secs => %(bucket)s)) as b (at)
where s.target_id = %(target_id)s and s.since is not null
  and s.captured_at > %(since)s and s.captured_at <= %(until)s
group by 1
order by 1
